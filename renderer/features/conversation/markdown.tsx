import { memo, useMemo, type MouseEvent } from 'react';
import Markdown, { type Components, type Options } from 'react-markdown';
import remarkGfm from 'remark-gfm';
import type { EvidenceMark } from '../../../agent-core/contract/index.ts';
import { visible } from '../../ui/safe-text.ts';
import { Evidence, EvidenceContext } from './evidence.tsx';
import { markdownBlocks } from './markdown-blocks.ts';
import { remarkEvidence, type PlacedMark } from './remark-evidence.ts';

const plugins = [remarkGfm];
const webLink = /^https?:\/\//i;

/** Opens a web address in the person's browser; in a browser, in a tab that can't reach back. */
function openLink(event: MouseEvent, href: string): void {
  if (!window.signalbox) return;
  event.preventDefault();
  void window.signalbox.openLink(href);
}

const components: Components = {
  a: ({ href, children }) =>
    href && webLink.test(href) ? (
      <a href={href} target="_blank" rel="noopener noreferrer nofollow" title={href} onClick={(event) => openLink(event, href)}>
        {children}
      </a>
    ) : (
      <span>{children}</span>
    ),
  // A picture from the network would tell its server that someone reads this.
  img: ({ alt, src }) => <span className="faint">[image: {alt || (typeof src === 'string' ? src : 'without a name')}]</span>,
  table: ({ children }) => (
    <div className="md-table" tabIndex={0} role="group" aria-label="Table">
      <table>{children}</table>
    </div>
  ),
  pre: ({ children }) => <pre tabIndex={0}>{children}</pre>,
  h1: ({ children }) => <h3>{children}</h3>,
  h2: ({ children }) => <h3>{children}</h3>,
  h3: ({ children }) => <h4>{children}</h4>,
  h4: ({ children }) => <h4>{children}</h4>,
  h5: ({ children }) => <h4>{children}</h4>,
  h6: ({ children }) => <h4>{children}</h4>,
  span: ({ node, children }) => {
    const index = node?.properties['data-evidence'] ?? node?.properties['dataEvidence'];
    return index === undefined ? <span>{children}</span> : <Evidence index={Number(index)}>{children}</Evidence>;
  },
  input: ({ checked }) => (
    <span aria-label={checked ? 'Done' : 'Open'} role="img">
      {checked ? '☑' : '☐'}
    </span>
  ),
};

/** Only what links may point at is kept; everything else loses its address. */
const safeUrl = (url: string): string => (webLink.test(url) ? url : '');

const Block = memo(function Block({ text, marks }: { text: string; marks: readonly PlacedMark[] }) {
  const remark = useMemo((): Options['remarkPlugins'] => (marks.length ? [remarkGfm, [remarkEvidence, { marks }]] : plugins), [marks]);
  return (
    <Markdown remarkPlugins={remark} components={components} urlTransform={safeUrl} skipHtml={false}>
      {text}
    </Markdown>
  );
});

const noMarks: readonly PlacedMark[] = [];

/** Each block with the marks that stand in it. */
function blocksOf(text: string, evidence: readonly EvidenceMark[] | undefined): { text: string; marks: readonly PlacedMark[] }[] {
  // Hidden characters are written out: what stands behind them moves.
  const moved = (at: number) => visible(text.slice(0, at)).length;
  const placed = evidence?.map(({ at, length, kind }, index) => ({ at: moved(at), end: moved(at + length), kind, index })) ?? noMarks;
  const shown = visible(text);
  let cursor = 0;
  return markdownBlocks(shown).map((block) => {
    const from = shown.indexOf(block, cursor);
    cursor = from + block.length;
    const marks = placed
      .filter(({ at }) => at >= from && at < from + block.length)
      .map((mark) => ({ ...mark, at: mark.at - from, end: mark.end - from }));
    return { text: block, marks: marks.length ? marks : noMarks };
  });
}

/** An agent's message. Its text is data: no raw HTML, no remote pictures, links only to the web and only on a click. */
export function AgentText({ text, evidence }: { text: string; evidence?: readonly EvidenceMark[] | undefined }) {
  const blocks = useMemo(() => blocksOf(text, evidence), [text, evidence]);
  return (
    <EvidenceContext.Provider value={evidence ?? none}>
      <div className="md final">
        {blocks.map((block, index) => (
          <Block key={index} text={block.text} marks={block.marks} />
        ))}
      </div>
    </EvidenceContext.Provider>
  );
}
const none: readonly EvidenceMark[] = [];
