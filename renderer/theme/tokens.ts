/**
 * The colours of both themes, for the few who can't read CSS variables: the terminal, the diff view and the contrast
 * test. `tokens.css` says the same as `light-dark()`; a test keeps the two equal.
 */
export const dark = {
  canvas: '#101113',
  surface: '#16181b',
  raised: '#1d2024',
  hover: '#23272c',
  text: '#e8eaed',
  muted: '#a3abb5',
  faint: '#87909b',
  hairline: '#2b2f35',
  edge: '#6b737d',
  accent: '#6ea8fe',
  'accent-fill': '#2f6fdb',
  'on-accent': '#ffffff',
  'bad-fill': '#c93a3f',
  ok: '#4cc38a',
  warn: '#e2a53c',
  bad: '#ff7b72',
  waiting: '#c4a7ff',
  'diff-add': '#14261a',
  'diff-del': '#331b1b',
  'word-add': '#1e4429',
  'word-del': '#5a2828',
  'syn-key': '#b3b1f0',
  'syn-str': '#a9c9a4',
  'syn-fn': '#a6c8f5',
  'syn-type': '#d9c19a',
  conflict: '#2e2640',
} as const;

export type Token = keyof typeof dark;

export const light: Record<Token, string> = {
  canvas: '#ffffff',
  surface: '#f7f8f9',
  raised: '#ffffff',
  hover: '#eef0f2',
  text: '#1b1f24',
  muted: '#57606a',
  faint: '#616b76',
  hairline: '#dfe3e8',
  edge: '#7c8590',
  accent: '#0b5fd0',
  'accent-fill': '#0b5fd0',
  'on-accent': '#ffffff',
  'bad-fill': '#c3242c',
  ok: '#17733a',
  warn: '#8a5a00',
  bad: '#c3242c',
  waiting: '#6b3fc4',
  'diff-add': '#e0f1e3',
  'diff-del': '#fee5e4',
  'word-add': '#bfe5c7',
  'word-del': '#fcd2d0',
  'syn-key': '#4f3fa8',
  'syn-str': '#14603a',
  'syn-fn': '#0f4f9e',
  'syn-type': '#6b4a00',
  conflict: '#efe8fb',
};

/** The diff for people who can't tell red from green: blue added, orange removed. Overrides the tokens of the same name. */
export const colourBlindDiff = {
  dark: {
    'diff-add': '#12243a',
    'diff-del': '#33230f',
    'word-add': '#1b3f69',
    'word-del': '#52350f',
    added: '#6ea8fe',
    removed: '#e2a53c',
  },
  light: {
    'diff-add': '#e2eefc',
    'diff-del': '#fdebd3',
    'word-add': '#c6defb',
    'word-del': '#fbd7a4',
    added: '#0b5fd0',
    removed: '#8a5a00',
  },
} as const;

export const themes = { dark, light } as const;
