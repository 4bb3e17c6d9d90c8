/**
 * Shortcuts are written `mod+shift+p`, `j`, `mod+enter`, `?`: lower case, `mod` for ⌘ on macOS and Ctrl elsewhere,
 * `shift` only together with a letter or a named key.
 */
export const isMac = typeof navigator !== 'undefined' && /mac|iphone|ipad/i.test(navigator.platform);

const names: Record<string, [mac: string, other: string]> = {
  mod: ['⌘', 'Ctrl'],
  ctrl: ['⌃', 'Ctrl'],
  shift: ['⇧', 'Shift'],
  alt: ['⌥', 'Alt'],
  enter: ['↵', 'Enter'],
  escape: ['Esc', 'Esc'],
  space: ['Space', 'Space'],
  home: ['Home', 'Home'],
  end: ['End', 'End'],
  tab: ['Tab', 'Tab'],
  arrowup: ['↑', '↑'],
  arrowdown: ['↓', '↓'],
  arrowleft: ['←', '←'],
  arrowright: ['→', '→'],
  backspace: ['⌫', 'Backspace'],
  delete: ['⌦', 'Delete'],
};

/** `mod+k` → "⌘K" or "Ctrl K". */
export function printKeys(keys: string, mac = isMac): string {
  const parts = keys.split('+').map((part) => names[part]?.[mac ? 0 : 1] ?? part.toUpperCase());
  return parts.join(mac ? '' : ' ');
}

/** The form `aria-keyshortcuts` wants. */
export function ariaKeys(keys: string): string {
  const words: Record<string, string> = {
    mod: isMac ? 'Meta' : 'Control',
    ctrl: 'Control',
    shift: 'Shift',
    alt: 'Alt',
    enter: 'Enter',
    escape: 'Escape',
  };
  return keys
    .split('+')
    .map((part) => words[part] ?? part)
    .join('+');
}

/** The name of what was pressed, in the same spelling; null for a bare modifier or while composing. */
export function keysOf(event: KeyboardEvent): string | null {
  if (event.isComposing || event.keyCode === 229 || ['Control', 'Meta', 'Shift', 'Alt', 'Dead', 'Process'].includes(event.key)) return null;
  const key = event.key === ' ' ? 'space' : event.key.toLowerCase();
  const mod = isMac ? event.metaKey : event.ctrlKey;
  const parts: string[] = [];
  if (mod) parts.push('mod');
  if (isMac && event.ctrlKey) parts.push('ctrl');
  if (event.altKey) parts.push('alt');
  if (event.shiftKey && (/^[a-z]$/.test(key) || key.length > 1)) parts.push('shift');
  parts.push(key);
  return parts.join('+');
}

/** True where the person writes: plain keys belong to the text there. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target.tagName === 'TEXTAREA' || target.tagName === 'SELECT') return true;
  return target instanceof HTMLInputElement && !['checkbox', 'radio', 'button', 'range'].includes(target.type);
}

/** True inside a terminal, which keeps the keys that a shell needs. */
export const inTerminal = (target: EventTarget | null): boolean =>
  target instanceof Element && target.closest('.xterm, [data-terminal]') !== null;
