import { ui } from '../state/ui.ts';

/**
 * In a narrow window (or at 200 % zoom) the sidebar is an overlay: closed at first, and closed again by going
 * somewhere. When the window grows it comes back.
 */
export function followWidth(): void {
  const narrow = matchMedia('(max-width: 820px)');
  const apply = () => ui.setState({ sidebar: !narrow.matches });
  if (narrow.matches) apply();
  narrow.addEventListener('change', apply);
  ui.subscribe((state, before) => {
    if (narrow.matches && state.sidebar && state.route !== before.route) ui.setState({ sidebar: false });
  });
}
