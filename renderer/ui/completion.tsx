import { useEffect, useId, useRef, useState, type ComponentProps, type KeyboardEvent, type RefObject } from 'react';
import { Icon, type IconName } from './icons.tsx';
import { visible } from './safe-text.ts';

/** One thing that can stand in the text instead of what was typed of it. */
export interface Suggestion {
  id: string;
  title: string;
  note: string;
  icon: IconName;
  /** What takes the place of the sign and the letters after it. */
  text: string;
}

/** What is being typed: a sign that asks for suggestions, and the letters after it. */
export interface Asking {
  sign: '@' | '$' | '/';
  letters: string;
  /** Where the sign stands. */
  from: number;
  to: number;
}

/** The word before the caret, where it begins with a sign: `@` and `$` anywhere, `/` at the very beginning. */
export function askingAt(text: string, caret: number): Asking | null {
  const before = text.slice(0, caret);
  const found = /(?:^|\s)([@$])([^\s@$]*)$/.exec(before) ?? /^(\/)([\w.:-]*)$/.exec(before);
  if (!found) return null;
  const [, sign, letters] = found as unknown as [string, Asking['sign'], string];
  return { sign, letters, from: caret - letters.length - 1, to: caret };
}

const WAIT_MS = 60;

type Suggest = (asking: Asking) => Promise<readonly Suggestion[]>;

/** What there is for what is being typed: asked a moment after the last key; an answer that comes too late is dropped. */
function useFound(asking: Asking | null, suggest: Suggest): readonly Suggestion[] {
  const [found, setFound] = useState<{ key: string; all: readonly Suggestion[] }>({ key: '', all: [] });
  const latest = useRef(suggest);
  latest.current = suggest;
  const key = asking ? `${asking.sign}${asking.from} ${asking.letters}` : '';
  useEffect(() => {
    if (!asking) {
      setFound({ key: '', all: [] });
      return;
    }
    let gone = false;
    const tell = (all: readonly Suggestion[]) => {
      if (!gone) setFound({ key, all });
    };
    const timer = setTimeout(() => {
      latest.current(asking).then(tell, () => tell([]));
    }, WAIT_MS);
    return () => {
      gone = true;
      clearTimeout(timer);
    };
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [key]);
  return found.all;
}

function List({ id, found, index, take }: { id: string; found: readonly Suggestion[]; index: number; take: (one: Suggestion) => void }) {
  return (
    <ul className="completion" role="listbox" id={id} aria-label="Suggestions">
      {found.map((suggestion, at) => (
        // The field keeps the focus: keys choose there, the pointer here.
        <li
          key={suggestion.id}
          id={`${id}-${at}`}
          role="option"
          aria-selected={at === index}
          className="completion-row"
          ref={at === index ? (row) => row?.scrollIntoView({ block: 'nearest' }) : undefined}
          onPointerDown={(event) => {
            event.preventDefault();
            take(suggestion);
          }}
        >
          <Icon small name={suggestion.icon} />
          <span className="cut">{visible(suggestion.title)}</span>
          <span className="xs faint cut grow">{visible(suggestion.note)}</span>
        </li>
      ))}
    </ul>
  );
}

/** Where the caret asks for suggestions; Escape says no to one place until the caret has left it. */
function useAsking(field: RefObject<HTMLTextAreaElement | null>) {
  const [asking, setAsking] = useState<Asking | null>(null);
  const closedAt = useRef<number | null>(null);
  const look = () => {
    const area = field.current;
    const next = area && area.selectionStart === area.selectionEnd ? askingAt(area.value, area.selectionStart) : null;
    if (next?.from !== closedAt.current) closedAt.current = null;
    setAsking(closedAt.current === null ? next : null);
  };
  const close = () => {
    closedAt.current = asking?.from ?? null;
    setAsking(null);
  };
  return { asking, look, close, done: () => setAsking(null) };
}

/**
 * A text field that offers what can stand for what is being typed. Arrow keys choose, Enter or Tab takes, Escape closes;
 * typing goes on meanwhile. Other keys are the caller's.
 */
export function CompletingArea({
  text,
  setText,
  field,
  suggest,
  attach,
  onKeyDown,
  ...rest
}: {
  text: string;
  setText: (text: string) => void;
  field: RefObject<HTMLTextAreaElement | null>;
  suggest: Suggest;
  /** Takes pasted and dropped files; what it resolves with stands in the text for them. */
  attach: (files: readonly File[]) => Promise<string>;
  onKeyDown: (event: KeyboardEvent) => void;
} & Omit<ComponentProps<'textarea'>, 'value' | 'onChange' | 'onKeyDown' | 'onSelect' | 'onPaste' | 'onDrop' | 'ref'>) {
  const id = useId();
  const { asking, look, close, done } = useAsking(field);
  const found = useFound(asking, suggest);
  const [at, setAt] = useState(0);
  const index = Math.min(at, found.length - 1);
  const open = asking !== null && found.length > 0;
  const take = (suggestion: Suggestion) => {
    if (!asking) return;
    setText(text.slice(0, asking.from) + suggestion.text + text.slice(asking.to));
    const caret = asking.from + suggestion.text.length;
    done();
    requestAnimationFrame(() => {
      field.current?.focus();
      field.current?.setSelectionRange(caret, caret);
    });
  };
  const takeFiles = (files: FileList | undefined, event: { preventDefault(): void }) => {
    if (!files?.length) return;
    event.preventDefault();
    void attach([...files]).then((named) => {
      const { value, selectionStart } = field.current ?? { value: text, selectionStart: text.length };
      const gap = selectionStart > 0 && !/\s$/.test(value.slice(0, selectionStart)) ? ' ' : '';
      setText(value.slice(0, selectionStart) + gap + named + value.slice(selectionStart));
    });
  };
  const chooses = (event: KeyboardEvent): boolean => {
    if (!open || event.nativeEvent.isComposing || event.metaKey || event.ctrlKey || event.altKey) return false;
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step) setAt((index + step + found.length) % found.length);
    else if ((event.key === 'Enter' || event.key === 'Tab') && !event.shiftKey) take(found[index]!);
    else if (event.key === 'Escape') close();
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  };
  return (
    <>
      <textarea
        {...rest}
        ref={field}
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setAt(0);
          look();
        }}
        onSelect={look}
        onPaste={(event) => takeFiles(event.clipboardData.files, event)}
        onDrop={(event) => takeFiles(event.dataTransfer.files, event)}
        onKeyDown={(event) => {
          if (!chooses(event)) onKeyDown(event);
        }}
        aria-autocomplete="list"
        {...(open ? { 'aria-controls': id, 'aria-activedescendant': `${id}-${index}` } : {})}
      />
      {open && <List {...{ id, found, index, take }} />}
    </>
  );
}
