import { useSyncExternalStore } from 'react';

const system = typeof matchMedia === 'undefined' ? null : matchMedia('(prefers-color-scheme: dark)');

/** The theme that is on screen now. */
export const shownTheme = (): 'dark' | 'light' => {
  const chosen = document.documentElement.dataset['theme'];
  return chosen === 'dark' || chosen === 'light' ? chosen : system?.matches ? 'dark' : 'light';
};

function subscribe(listener: () => void): () => void {
  const watch = new MutationObserver(listener);
  watch.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
  system?.addEventListener('change', listener);
  return () => {
    watch.disconnect();
    system?.removeEventListener('change', listener);
  };
}

/** The theme that is on screen, for parts that can't read CSS variables. */
export const useShownTheme = (): 'dark' | 'light' => useSyncExternalStore(subscribe, shownTheme);
