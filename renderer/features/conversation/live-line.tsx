import { threadOf, type Activity, type TaskId } from '../../../agent-core/contract/index.ts';
import { useCore } from '../../state/hooks.ts';
import { Age, Icon, Working, statusLabel } from '../../ui/index.ts';
import { visible, visibleLine } from '../../ui/safe-text.ts';

const words: Record<Activity['verb'], string> = {
  thinking: 'Thinking',
  running: 'Running',
  editing: 'Editing',
  preparing: 'Preparing',
  writing: 'Writing',
  waiting: 'Waiting for you',
};

const signOf = (line: string): string | undefined => (line.startsWith('+') ? 'add' : line.startsWith('-') ? 'del' : undefined);

/** The newest lines of a patch while it is written. */
function Preview({ text }: { text: string }) {
  return (
    <pre className="live-patch" aria-label="Patch being written">
      {visible(text)
        .split('\n')
        .map((line, index) => (
          <span key={index} data-sign={signOf(line)}>
            {line}
            {'\n'}
          </span>
        ))}
    </pre>
  );
}

/** What the agent does this moment, under the last message of a running turn. Nothing when the core doesn't say. */
export function LiveLine({ taskId }: { taskId: TaskId }) {
  const activity = useCore((state) => state.activity[taskId]);
  const limited = useCore(({ board }) => {
    const task = board?.tasks[taskId];
    return board && task ? (threadOf(board, task)?.limitedUntil ?? null) : null;
  });
  if (limited !== null)
    return (
      <p className="live-line">
        <Icon name="limited" className="warn" />
        <span className="cut">{statusLabel('limited', limited)}. It goes on by itself then.</span>
      </p>
    );
  if (!activity || activity.verb === 'writing' || activity.verb === 'waiting') return null;
  return (
    <>
      <p className="live-line">
        <Working />
        <span className="cut">
          {words[activity.verb]}
          {activity.subject && (
            <>
              {' '}
              <code>{visibleLine(activity.subject)}</code>
            </>
          )}
        </span>
        <Age since={activity.since} className="faint" />
      </p>
      {activity.preview && <Preview text={activity.preview} />}
    </>
  );
}
