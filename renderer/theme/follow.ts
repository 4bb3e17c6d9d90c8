import { core } from '../state/store.ts';
import { ui } from '../state/ui.ts';

/**
 * Writes the theme in force onto `<html data-theme="light|dark">`: the choice, or the system's. The choice travels with
 * the core's settings, so that every window has it; this browser remembers it for its first paint.
 */
export function followTheme(): void {
  const system = matchMedia('(prefers-color-scheme: dark)');
  const apply = () => {
    const { theme, colourBlindDiff } = ui.getState();
    const { dataset } = document.documentElement;
    dataset['theme'] = theme === 'system' ? (system.matches ? 'dark' : 'light') : theme;
    if (colourBlindDiff) dataset['diff'] = 'colour-blind';
    else delete dataset['diff'];
  };
  system.addEventListener('change', apply);
  ui.subscribe((state, before) => {
    if (state.theme !== before.theme || state.colourBlindDiff !== before.colourBlindDiff) apply();
  });
  core.subscribe((state, before) => {
    const theme = state.board?.settings.theme;
    if (theme && theme !== before.board?.settings.theme) ui.setState({ theme });
  });
  apply();
}
