import { themes } from '../theme/tokens.ts';

/** Four colours for code, the style sheet's `--syn-*`, checked there for contrast over both diff tints. A worker has no style sheet to read. */
const rules = {
  faint: ['comment', 'punctuation.definition.comment'],
  'syn-key': ['keyword', 'storage', 'constant.language', 'variable.language', 'entity.name.tag', 'markup.bold'],
  text: ['keyword.operator', 'punctuation', 'meta.brace'],
  'syn-str': ['string', 'constant.numeric', 'constant.character', 'markup.inline.raw', 'markup.inserted'],
  'syn-fn': ['entity.name.function', 'support.function', 'markup.heading', 'entity.name.section'],
  'syn-type': [
    'entity.name.type',
    'entity.name.class',
    'support.type',
    'support.class',
    'entity.other.inherited-class',
    'entity.other.attribute-name',
  ],
} as const;

const codeTheme = (type: 'dark' | 'light') => {
  const colour = themes[type];
  // Comments take the stronger grey: the fainter one misses 4.5:1 over the diff's tints.
  const of = (name: keyof typeof rules): string => colour[name === 'faint' ? 'muted' : name];
  return {
    name: `signalbox-${type}`,
    type,
    fg: colour.text,
    bg: colour.canvas,
    colors: { 'editor.foreground': colour.text, 'editor.background': colour.canvas },
    settings: [
      { settings: { foreground: colour.text, background: colour.canvas } },
      ...Object.entries(rules).map(([name, scope]) => ({ scope: [...scope], settings: { foreground: of(name as keyof typeof rules) } })),
    ],
  };
};

export const darkCode = codeTheme('dark');
export const lightCode = codeTheme('light');
