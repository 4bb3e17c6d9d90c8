import { workspaceOf, type Task } from '../../../agent-core/contract/index.ts';
import { actionId, recipeOf, runsIn } from '../../actions/recipe.ts';
import { runAction } from '../../actions/registry.ts';
import { useCore } from '../../state/hooks.ts';
import { go } from '../../state/route.ts';
import { Button, Menu } from '../../ui/index.ts';
import { visibleLine } from '../../ui/safe-text.ts';

/** The named actions of the project's recipe: what runs is said on the button, a click starts or stops. */
export function RunMenu({ task }: { task: Task }) {
  const board = useCore((state) => state.board);
  const actions = recipeOf({ board }, task);
  const running = task.running ?? [];
  if (!board || (actions.length === 0 && running.length === 0)) return null;
  const ready = workspaceOf(board, task)?.phase === 'ready';
  const names = [...new Set([...actions.map(({ name }) => name), ...running.map(({ name }) => name)])];
  return (
    <Menu
      label="Actions of the project"
      trigger={
        <Button icon="play">
          {running.length === 0 ? 'Run' : running.length === 1 ? `${visibleLine(running[0]!.name)} runs` : `${running.length} actions run`}
        </Button>
      }
      entries={[
        ...names.map((name) => ({
          id: name,
          title: `${runsIn(task, name) ? 'Stop' : 'Start'} ${visibleLine(name)}`,
          icon: runsIn(task, name) ? ('stop' as const) : ('play' as const),
          disabled: ready ? undefined : 'The worktree isn’t ready yet',
          run: () => void runAction(actionId(name), task.id),
        })),
        {
          id: 'edit',
          title: 'Edit actions',
          icon: 'gear' as const,
          rule: true,
          run: () => go({ place: 'project', projectId: task.projectId }),
        },
      ]}
    />
  );
}
