import type { Denial, TaskId } from '../../../agent-core/contract/index.ts';
import { settleDenials } from '../../actions/denials.ts';
import { attempt, runAction } from '../../actions/registry.ts';
import { ALLOW, denialsOf } from '../../state/denials.ts';
import { useCoreShallow } from '../../state/hooks.ts';
import { Button, Icon, Menu, plural, visibleLine, type MenuEntry } from '../../ui/index.ts';

const SHOWN = 4;

function entriesOf(denial: Denial, first: boolean): MenuEntry[] {
  const subject = visibleLine(denial.subject);
  const act = (decision: 'allow' | 'dismiss', scope?: Denial['scopes'][number]) => () =>
    void attempt(() => settleDenials([denial], decision, scope), denial.taskId);
  return [
    ...denial.scopes.map((scope, at): MenuEntry => ({
      id: `${denial.id} ${scope}`,
      title: `${ALLOW[scope]}: ${subject}`,
      icon: 'check',
      rule: at === 0 && !first,
      run: act('allow', scope),
    })),
    { id: `${denial.id} dismiss`, title: `Dismiss: ${subject}`, icon: 'x', run: act('dismiss') },
  ];
}

/** On a card: how much the sandbox kept out of the task, with the answers in a menu. Nothing waits for them. */
export function Denied({ taskId }: { taskId: TaskId }) {
  const denials = useCoreShallow(({ board }) => (board ? denialsOf(board, taskId) : []));
  if (!denials.length) return null;
  const all: MenuEntry[] = [
    { id: 'inbox', title: 'Show in the inbox', icon: 'right', rule: true, run: () => void runAction('task.denials', taskId) },
    ...(denials.length > 1
      ? [
          {
            id: 'dismiss',
            title: `Dismiss all ${denials.length}`,
            icon: 'x' as const,
            run: () => void runAction('task.denials.dismiss', taskId),
          },
        ]
      : []),
  ];
  return (
    <div className="denied">
      <Menu
        align="start"
        label="Kept out by the sandbox"
        trigger={
          <Button small look="quiet" onClick={(event) => event.stopPropagation()}>
            <Icon small name="block" className="warn" />
            {plural(denials.length, 'thing')} kept out
          </Button>
        }
        entries={[...denials.slice(0, SHOWN).flatMap((denial, at) => entriesOf(denial, at === 0)), ...all]}
      />
    </div>
  );
}
