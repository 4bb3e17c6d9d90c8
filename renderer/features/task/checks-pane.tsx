import { useMemo } from 'react';
import { threadOf, type TaskId } from '../../../agent-core/contract/index.ts';
import { useCore, useThread } from '../../state/hooks.ts';
import { Age, Button, Empty, Icon, Skeleton, Working, duration, plural } from '../../ui/index.ts';
import { visibleLine } from '../../ui/safe-text.ts';
import { checksOf, type CheckRow } from './checks.ts';

const words: Record<CheckRow['state'], string> = { running: 'Running', passed: 'Passed', failed: 'Failed', stopped: 'Stopped' };
const tones: Record<CheckRow['state'], string> = { running: 'muted', passed: 'ok', failed: 'bad', stopped: 'muted' };

function Row({ row, onOpen }: { row: CheckRow; onOpen: (itemId: string) => void }) {
  const { item } = row;
  return (
    <li className="check-row">
      {row.state === 'running' ? (
        <Working />
      ) : (
        <Icon name={row.state === 'passed' ? 'check' : row.state === 'failed' ? 'failed' : 'stop'} className={tones[row.state]} />
      )}
      <div className="grow">
        <p className="cut">
          <code>{visibleLine(row.command)}</code>
        </p>
        <p className="xs faint">
          <span className={tones[row.state]}>{row.summary ?? words[row.state]}</span>
          {row.state === 'failed' && item.exitCode !== null && !row.summary && `, exit code ${item.exitCode}`}
          {item.endedAt !== null && ` in ${duration(item.endedAt - item.startedAt)}`}
          {row.runs > 1 && `, ${plural(row.runs, 'run')}`}
        </p>
      </div>
      {row.stale && (
        <span className="tag warn" title="Files changed after this ran">
          <Icon name="limited" />
          Stale
        </span>
      )}
      {item.endedAt !== null && <Age since={item.endedAt} className="xs faint" />}
      <Button look="quiet" small onClick={() => onOpen(item.id)}>
        Show output
      </Button>
    </li>
  );
}

/** The commands of the thread that tell whether the work is right, and whether they are still true. */
export function ChecksPane({ taskId, onOpenItem }: { taskId: TaskId; onOpenItem: (itemId: string) => void }) {
  const check = useCore((state) => state.board?.tasks[taskId]?.check ?? null);
  const threadId = useCore((state) => {
    const task = state.board?.tasks[taskId];
    return state.board && task ? threadOf(state.board, task)?.id : undefined;
  });
  const thread = useThread(threadId);
  const rows = useMemo(
    () =>
      thread
        ? checksOf(
            thread.order.flatMap((id) => thread.items[id] ?? []),
            check,
          )
        : [],
    [thread, check],
  );
  if (threadId && thread?.status === 'loading')
    return (
      <div className="checks-pane">
        <Skeleton lines={4} label="Reading the checks" />
      </div>
    );
  if (rows.length === 0)
    return <Empty title="No checks yet">Tests, linters, type checks and builds that run in this task show here with their results.</Empty>;
  return (
    <div className="checks-pane">
      <ul aria-label="Checks">
        {rows.map((row) => (
          <Row key={row.item.id} row={row} onOpen={onOpenItem} />
        ))}
      </ul>
    </div>
  );
}
