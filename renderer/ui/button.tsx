import { useState, type ComponentProps, type ReactNode } from 'react';
import { Tooltip } from '@base-ui/react/tooltip';
import { Icon, type IconName } from './icons.tsx';
import { Kbd } from './bits.tsx';
import { ariaKeys } from './keys.ts';

type Look = 'fill' | 'edge' | 'quiet' | 'bad';
interface Common {
  look?: Look;
  keys?: string | undefined;
  small?: boolean;
}
type Native = Omit<ComponentProps<'button'>, 'children'>;

const classes = (look: Look, small: boolean | undefined, more: string | undefined, icon: boolean) =>
  `btn btn-${look}${icon ? ' btn-icon' : ''}${small ? ' btn-24' : ''}${more ? ` ${more}` : ''}`;

/** A verb. `keys` is shown and told to assistive technology; `showKeys={false}` only tells. */
export function Button({
  look = 'edge',
  icon,
  keys,
  showKeys = true,
  small,
  className,
  children,
  ...rest
}: Common & Native & { icon?: IconName | undefined; showKeys?: boolean; children: ReactNode }) {
  return (
    <button type="button" className={classes(look, small, className, false)} aria-keyshortcuts={keys && ariaKeys(keys)} {...rest}>
      {icon && <Icon name={icon} />}
      {children}
      {keys && showKeys && (
        <span aria-hidden="true">
          <Kbd keys={keys} />
        </span>
      )}
    </button>
  );
}

/** A glyph alone: `label` is its name and its tooltip. */
export function IconButton({
  icon,
  label,
  look = 'quiet',
  keys,
  small,
  className,
  ...rest
}: Common & Native & { icon: IconName; label: string }) {
  return (
    <Tip text={label} keys={keys}>
      <button
        type="button"
        className={classes(look, small, className, true)}
        aria-label={label}
        aria-keyshortcuts={keys && ariaKeys(keys)}
        {...rest}
      >
        <Icon name={icon} />
      </button>
    </Tip>
  );
}

/** A tooltip around one focusable element. It repeats what the element's name says, so it adds no description. */
export function Tip({ text, keys, children }: { text: string; keys?: string | undefined; children: React.ReactElement }) {
  const [open, setOpen] = useState(false);
  return (
    <Tooltip.Root
      open={open}
      onOpenChange={(next, details) => {
        // Escape closes the tooltip and is one step back as well: a hint takes no key from the page.
        if (details.reason === 'escape-key') {
          details.cancel();
          details.allowPropagation();
        }
        setOpen(next);
      }}
    >
      <Tooltip.Trigger render={children} delay={500} />
      <Tooltip.Portal>
        <Tooltip.Positioner sideOffset={6} className="positioner">
          <Tooltip.Popup className="tip">
            {text}
            {keys && <Kbd keys={keys} />}
          </Tooltip.Popup>
        </Tooltip.Positioner>
      </Tooltip.Portal>
    </Tooltip.Root>
  );
}
