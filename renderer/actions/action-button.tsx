import type { TaskId } from '../../agent-core/contract/index.ts';
import { Button } from '../ui/button.tsx';
import { Menu, type MenuEntry } from '../ui/menu.tsx';
import type { ReactElement } from 'react';
import { useAction, useAllActions } from './hooks.ts';
import { allActions, applies, contextOf, keyHere, runAction, titleOf } from './registry.ts';

/** A button that is an action: its title, glyph and key come from the registry. Nothing when it doesn't apply. */
export function ActionButton({
  id,
  taskId,
  look = 'edge',
  icon,
  showKeys = false,
  small,
  disabledWhy,
  className,
}: {
  id: string;
  taskId?: TaskId;
  look?: 'fill' | 'edge' | 'quiet' | 'bad';
  icon?: boolean;
  showKeys?: boolean;
  small?: boolean;
  /** Stay, disabled, and say this instead of vanishing. */
  disabledWhy?: string;
  className?: string;
}) {
  const found = useAction(id, taskId);
  if (!found || (!found.enabled && !disabledWhy)) return null;
  return (
    <Button
      look={look}
      small={small ?? false}
      keys={found.keys}
      showKeys={showKeys}
      icon={icon ? found.action.icon : undefined}
      className={className}
      disabled={!found.enabled}
      title={found.enabled ? undefined : disabledWhy}
      onClick={(event) => {
        event.stopPropagation();
        void runAction(id, taskId);
      }}
    >
      {found.title}
    </Button>
  );
}

/** The entries of a task's menu: every action of its group that applies. */
export function taskEntries(taskId: TaskId, without: readonly string[] = []): MenuEntry[] {
  const context = contextOf(taskId);
  return allTaskActions(context, without).map((action, index) => ({
    id: action.id,
    title: titleOf(action, context),
    icon: action.icon,
    keys: keyHere(action, context),
    danger: action.danger,
    rule: action.danger && index > 0,
    run: () => void runAction(action.id, taskId),
  }));
}

function allTaskActions(context: ReturnType<typeof contextOf>, without: readonly string[]) {
  return allActions().filter(
    (action) => action.group === 'Task' && !action.hidden && !without.includes(action.id) && applies(action, context),
  );
}

/** A menu of everything that can be done with a task now. */
export function TaskMenu({ taskId, trigger, without = [] }: { taskId: TaskId; trigger: ReactElement; without?: readonly string[] }) {
  useAllActions();
  return <Menu trigger={trigger} label="Actions" entries={taskEntries(taskId, without)} />;
}
