import { useMemo, useRef, useState } from 'react';
import { toAppError, type AppError, type ItemOf } from '../../../agent-core/contract/index.ts';
import { rpc } from '../../state/store.ts';
import { Button, CopyButton, ErrorNote } from '../../ui/index.ts';
import { ansiSpans, plainOutput } from './ansi.ts';
import { visible } from '../../ui/safe-text.ts';

/** Text with a command's colours, as spans: nothing in it is interpreted. */
export function AnsiText({ text }: { text: string }) {
  const spans = useMemo(() => ansiSpans(text), [text]);
  return spans.map((span, index) =>
    span.tone || span.strong ? (
      <span key={index} className={`${span.tone ? `t-${span.tone}` : ''}${span.strong ? ' b' : ''}`}>
        {span.text}
      </span>
    ) : (
      span.text
    ),
  );
}

const size = (bytes: number): string => (bytes < 1024 * 1024 ? `${Math.ceil(bytes / 1024)} KB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`);

/** A command's whole line, where it ran and what it printed. The rest of a long output is read from disk when asked for. */
export function CommandOutput({ item }: { item: ItemOf<'command'> }) {
  const [rest, setRest] = useState<{ text: string; next: number; total: number } | null>(null);
  const [error, setError] = useState<AppError | null>(null);
  const [reading, setReading] = useState(false);
  const box = useRef<HTMLPreElement>(null);
  const text = rest && item.status !== 'running' ? rest.text : item.output;
  const left = rest ? rest.total - rest.next : item.outputBytes > item.output.length ? item.outputBytes : 0;
  const read = async (): Promise<void> => {
    setReading(true);
    try {
      const page = await rpc().call('item/output', { itemId: item.id, offset: rest?.next ?? 0 });
      setRest({
        text: (rest?.text ?? '') + page.text,
        next: Math.max(page.offset + new TextEncoder().encode(page.text).length, (rest?.next ?? 0) + 1),
        total: page.total,
      });
      setError(null);
    } catch (thrown) {
      setError(toAppError(thrown));
    } finally {
      setReading(false);
    }
  };
  return (
    <div className="tool-open">
      <pre className="cmd" tabIndex={0} aria-label="Command">
        {visible(item.command)}
      </pre>
      <pre className="out" ref={box} tabIndex={0} aria-label={`Output of ${item.command.slice(0, 80)}`}>
        {text === '' ? (
          <span className="faint">{item.status === 'running' ? 'No output yet.' : 'No output.'}</span>
        ) : (
          <AnsiText text={text} />
        )}
      </pre>
      {error && <ErrorNote error={error} />}
      <div className="tool-acts">
        <span className="xs faint">{item.exitCode === null ? '' : `Exit code ${item.exitCode}`}</span>
        <span className="grow" />
        {left > 0 && item.status !== 'running' && (
          <Button look="quiet" small disabled={reading} onClick={() => void read()}>
            {rest ? `Show more (${size(left)})` : `Show all (${size(left)})`}
          </Button>
        )}
        <CopyButton text={() => plainOutput(text)} label="Copy output" />
      </div>
    </div>
  );
}
