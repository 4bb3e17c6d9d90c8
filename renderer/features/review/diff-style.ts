/**
 * What the diff view's shadow trees need to look like the rest: our tokens reach them by inheritance. The view mixes
 * its tints itself, so they are set at the last step, where UI.md's checked colours stay what they are.
 */
const rows = ':is([data-line],[data-no-newline],[data-column-number],[data-gutter-buffer])';
export const diffCss = `
:host { --diffs-gap-block: 0px; --diffs-font-family: var(--mono); --diffs-font-size: 11px; --diffs-line-height: 20px; --diffs-font-features: "liga" 0;
  --diffs-bg: var(--canvas); --diffs-fg: var(--text); --diffs-header-font-family: var(--sans);
  --diffs-fg-number-override: var(--faint); --diffs-addition-color-override: var(--added); --diffs-deletion-color-override: var(--removed);
  --diffs-bg-addition-emphasis-override: var(--word-add); --diffs-bg-deletion-emphasis-override: var(--word-del);
  --diffs-bg-separator-override: var(--canvas); --diffs-bg-buffer-override: var(--surface); --diffs-bg-context-override: var(--canvas); }
[data-background] ${rows}[data-line-type=change-addition] { --diffs-computed-diff-line-bg: var(--diff-add); }
[data-background] ${rows}[data-line-type=change-deletion] { --diffs-computed-diff-line-bg: var(--diff-del); }
[data-background] :is([data-column-number],[data-gutter-buffer])[data-line-type^=change] { color: var(--muted); }
[data-line-annotation], [data-gutter-buffer=annotation] { --diffs-computed-decoration-bg: var(--canvas); }
[data-separator] { display: none; }
[data-line] { border-radius: 0; }
`;
