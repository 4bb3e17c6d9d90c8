import { memo, type ReactNode } from 'react';
import type { ItemOf } from '../../../agent-core/contract/index.ts';
import { Diffstat, Icon, duration, useClockText } from '../../ui/index.ts';
import { visible, visibleLine } from '../../ui/safe-text.ts';
import { AnsiText, CommandOutput } from './command-output.tsx';
import type { ToolItem } from './rows.ts';
import { linesOf, toolWords } from './tool-words.ts';

function Took({ item }: { item: ToolItem }) {
  const text = useClockText((now) => duration((item.endedAt ?? now) - item.startedAt));
  return <time>{item.type === 'fileChange' && item.endedAt !== null ? '' : text}</time>;
}

function Changes({ item, onOpenFile }: { item: ItemOf<'fileChange'>; onOpenFile: ((path: string) => void) | undefined }) {
  return (
    <div className="tool-open">
      <ul className="changes-list">
        {item.changes.map((change) => (
          <li key={change.path}>
            {onOpenFile && change.kind !== 'delete' ? (
              <button type="button" className="link mono cut" onClick={() => onOpenFile(change.movedTo ?? change.path)}>
                {visibleLine(change.movedTo ?? change.path)}
              </button>
            ) : (
              <code className="cut">{visibleLine(change.path)}</code>
            )}
            <Diffstat added={change.added} removed={change.removed} />
          </li>
        ))}
      </ul>
      {item.error && (
        <pre className="out" tabIndex={0} aria-label="Why it failed">
          {visible(item.error)}
        </pre>
      )}
    </div>
  );
}

function pretty(source: string): string {
  try {
    return JSON.stringify(JSON.parse(source), null, 2);
  } catch {
    return source;
  }
}

function Opened({ item, onOpenFile }: { item: ToolItem; onOpenFile: ((path: string) => void) | undefined }): ReactNode {
  switch (item.type) {
    case 'command':
      return <CommandOutput item={item} />;
    case 'fileChange':
      return <Changes item={item} onOpenFile={onOpenFile} />;
    case 'reasoning':
      return (
        <div className="tool-open">
          <p className="thought">{visible(item.text)}</p>
        </div>
      );
    case 'toolCall':
      return (
        <div className="tool-open">
          <pre className="cmd" tabIndex={0} aria-label="Arguments">
            {visible(pretty(item.arguments))}
          </pre>
          <pre className="out" tabIndex={0} aria-label="Result">
            <AnsiText text={item.output || 'No output.'} />
          </pre>
        </div>
      );
  }
}

/** A tool call: one line with its result and how long it took, opened on demand. */
export const ToolLine = memo(function ToolLine({
  item,
  open,
  waiting,
  onToggle,
  onOpenFile,
}: {
  item: ToolItem;
  open: boolean;
  /** A person is asked before it begins. */
  waiting: boolean;
  onToggle: (id: string) => void;
  onOpenFile: ((path: string) => void) | undefined;
}) {
  const words = toolWords(item, waiting);
  return (
    <div className="tool-box" id={`item-${item.id}`} data-status={'status' in item ? item.status : undefined}>
      <button type="button" className="tool" aria-expanded={open} onClick={() => onToggle(item.id)}>
        <Icon name={open ? 'down' : 'right'} />
        <span className="cut">
          {words.verb}
          {words.subject && (
            <>
              {' '}
              <code>{words.subject}</code>
            </>
          )}
        </span>
        <span className="res">
          {item.type === 'fileChange' && item.status === 'completed' && <Diffstat {...linesOf(item.changes)} />}
          {words.result && <span className={words.tone}>{words.result}</span>}
          {waiting ? <time /> : <Took item={item} />}
        </span>
      </button>
      {open && <Opened item={item} onOpenFile={onOpenFile} />}
    </div>
  );
});
