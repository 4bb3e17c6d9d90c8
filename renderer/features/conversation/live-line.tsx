import type { Activity, TaskId } from '../../../agent-core/contract/index.ts';
import { useCore } from '../../state/hooks.ts';
import { Age, Working } from '../../ui/index.ts';
import { visibleLine } from '../../ui/safe-text.ts';

const words: Record<Activity['verb'], string> = {
  thinking: 'Thinking',
  running: 'Running',
  editing: 'Editing',
  preparing: 'Preparing',
  writing: 'Writing',
  waiting: 'Waiting for you',
};

/** What the agent does this moment, under the last message of a running turn. Nothing when the core doesn't say. */
export function LiveLine({ taskId }: { taskId: TaskId }) {
  const activity = useCore((state) => state.activity[taskId]);
  if (!activity || activity.verb === 'writing' || activity.verb === 'waiting') return null;
  return (
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
  );
}
