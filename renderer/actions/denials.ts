import type { Denial, Scope, TaskId } from '../../agent-core/contract/index.ts';
import { rpc } from '../state/store.ts';
import { go } from '../state/route.ts';
import { denialsOf } from '../state/denials.ts';
import type { Action, ActionContext } from './registry.ts';

/** Answers denials alike; those that someone else answered meanwhile stay as they are. Throws `Failure`. */
export async function settleDenials(denials: readonly Denial[], decision: 'allow' | 'dismiss', scope: Scope = 'once'): Promise<void> {
  if (denials.length) await rpc().call('denial/decide', { denialIds: denials.map(({ id }) => id), decision, scope });
}

const here = ({ board, task }: ActionContext): readonly Denial[] => (board && task ? denialsOf(board, task.id as TaskId) : []);

/** What the sandbox kept out of a task, answered from its card or the palette. */
export const denialActions: readonly Action[] = [
  {
    id: 'task.denials',
    title: (context) => (here(context).length === 1 ? 'Show what was kept out' : `Show ${here(context).length} things kept out`),
    group: 'Task',
    icon: 'block',
    when: (context) => here(context).length > 0,
    run: () => go({ place: 'inbox' }),
  },
  {
    id: 'task.denials.dismiss',
    title: 'Dismiss what was kept out',
    group: 'Task',
    icon: 'x',
    when: (context) => here(context).length > 0,
    run: (context) => settleDenials(here(context), 'dismiss'),
  },
];
