import { Dialog as Base } from '@base-ui/react/dialog';
import { useRef, type KeyboardEvent, type ReactNode, type RefObject } from 'react';
import { Button, IconButton } from './button.tsx';

/** A modal layer: Esc and the backdrop close it, focus goes back to what opened it. */
export function Dialog({
  open,
  onClose,
  title,
  children,
  foot,
  wide,
  initialFocus,
  className,
  onKeyDown,
}: {
  open: boolean;
  onClose: () => void;
  title: string;
  children: ReactNode;
  foot?: ReactNode;
  wide?: boolean;
  initialFocus?: RefObject<HTMLElement | null>;
  className?: string;
  onKeyDown?: (event: KeyboardEvent) => void;
}) {
  const popup = useRef<HTMLDivElement>(null);
  // the first field, not the Close button that comes before it; without one the layer itself
  const first = () => popup.current?.querySelector<HTMLElement>('.dialog-body :is(input, textarea, select)') ?? popup.current;
  return (
    <Base.Root
      open={open}
      onOpenChange={(next) => {
        if (!next) onClose();
      }}
    >
      <Base.Portal>
        <Base.Backdrop className="backdrop" />
        <Base.Popup
          className={`dialog${wide ? ' dialog-wide' : ''} ${className ?? ''}`}
          ref={popup}
          onKeyDown={onKeyDown}
          initialFocus={initialFocus ?? first}
        >
          <header className="dialog-head">
            <Base.Title>{title}</Base.Title>
            <IconButton icon="x" label="Close" keys="escape" onClick={onClose} />
          </header>
          <div className="dialog-body">{children}</div>
          {foot && <footer className="dialog-foot">{foot}</footer>}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}

/** Asks before something is given up. The button names the object ("Delete 3 tasks"); Cancel has the focus. */
export function ConfirmDialog({
  open,
  title,
  children,
  action,
  danger,
  onConfirm,
  onClose,
}: {
  open: boolean;
  title: string;
  children: ReactNode;
  action: string;
  danger?: boolean;
  onConfirm: () => void;
  onClose: () => void;
}) {
  const cancel = useRef<HTMLButtonElement>(null);
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title={title}
      initialFocus={cancel}
      foot={
        <>
          <Button ref={cancel} onClick={onClose}>
            Cancel
          </Button>
          <Button
            look={danger ? 'bad' : 'fill'}
            onClick={() => {
              onClose();
              onConfirm();
            }}
          >
            {action}
          </Button>
        </>
      }
    >
      {children}
    </Dialog>
  );
}
