import { memo, useMemo, type MouseEvent } from 'react';
import Markdown, { type Components } from 'react-markdown';
import remarkGfm from 'remark-gfm';
import { visible } from '../../ui/safe-text.ts';
import { markdownBlocks } from './markdown-blocks.ts';

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
  input: ({ checked }) => (
    <span aria-label={checked ? 'Done' : 'Open'} role="img">
      {checked ? '☑' : '☐'}
    </span>
  ),
};

/** Only what links may point at is kept; everything else loses its address. */
const safeUrl = (url: string): string => (webLink.test(url) ? url : '');

const Block = memo(function Block({ text }: { text: string }) {
  return (
    <Markdown remarkPlugins={plugins} components={components} urlTransform={safeUrl} skipHtml={false}>
      {text}
    </Markdown>
  );
});

/** An agent's message. Its text is data: no raw HTML, no remote pictures, links only to the web and only on a click. */
export function AgentText({ text }: { text: string }) {
  const blocks = useMemo(() => markdownBlocks(visible(text)), [text]);
  return (
    <div className="md final">
      {blocks.map((block, index) => (
        <Block key={index} text={block} />
      ))}
    </div>
  );
}
