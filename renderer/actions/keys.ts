import { inTerminal, isTyping, keysOf } from '../ui/keys.ts';
import { allActions, applies, contextOf, runAction, type Action } from './registry.ts';

/** The scopes around an element, nearest first, then `global`. With nothing focused: the page's main area. */
export function scopesAt(target: EventTarget | null): string[] {
  const scopes: string[] = [];
  let at = target instanceof Element && target !== document.body ? target : document.querySelector('main[data-scope]');
  for (let scoped = at?.closest('[data-scope]'); scoped; scoped = scoped.parentElement?.closest('[data-scope]'))
    scopes.push(scoped.getAttribute('data-scope')!);
  at = document.querySelector('main[data-scope]');
  const place = at?.getAttribute('data-scope');
  if (place && !scopes.includes(place)) scopes.push(place);
  return [...scopes, 'global'];
}

const inLayer = (target: EventTarget | null) =>
  (target instanceof Element && target.closest('[role=dialog], [role=alertdialog], [role=menu]') !== null) ||
  document.querySelector('[role=dialog], [role=alertdialog]') !== null;

function allowed(action: Action, keys: string, target: EventTarget | null): boolean {
  if (inTerminal(target)) return action.inTerminal ?? false;
  const withMod = keys.startsWith('mod+');
  return isTyping(target) ? (action.whileTyping ?? withMod) : true;
}

/** The action that a press means, or none: never while composing, typing, or under an open layer. */
export function actionFor(event: KeyboardEvent): Action | null {
  const keys = keysOf(event);
  if (!keys || event.defaultPrevented) return null;
  const layered = inLayer(event.target);
  const context = contextOf();
  for (const scope of scopesAt(event.target)) {
    const found = allActions().find(
      (action) =>
        (action.scope ?? 'global') === scope &&
        (action.keys?.includes(keys) ?? false) &&
        allowed(action, keys, event.target) &&
        applies(action, context),
    );
    if (found && (!layered || found.id === 'app.palette')) return found;
  }
  return null;
}

/** In a text field Escape leaves the field; the next one is a step back. */
function leaveField(event: KeyboardEvent): void {
  const { target } = event;
  if (event.key !== 'Escape' || event.defaultPrevented || event.isComposing || !(target instanceof HTMLElement)) return;
  if (isTyping(target) && !inTerminal(target) && !inLayer(target) && document.activeElement === target) target.blur();
}

/** The one key listener of the window. Returns its removal. */
export function listenForKeys(): () => void {
  const press = (event: KeyboardEvent) => {
    const action = actionFor(event);
    if (!action) {
      leaveField(event);
      return;
    }
    // a focused button, link or tab takes Enter and Space itself
    const plain = event.key === 'Enter' || event.key === ' ';
    if (
      plain &&
      !event.ctrlKey &&
      !event.metaKey &&
      event.target instanceof Element &&
      event.target.closest('button, a, [role=tab], summary')
    )
      return;
    event.preventDefault();
    void runAction(action.id);
  };
  document.addEventListener('keydown', press);
  return () => document.removeEventListener('keydown', press);
}
