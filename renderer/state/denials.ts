import type { Board, Denial, Scope, TaskId } from '../../agent-core/contract/index.ts';

/** What the sandbox kept out of a task and nobody has answered yet, oldest first. */
export const denialsOf = (board: Board, id: TaskId): Denial[] =>
  Object.values(board.denials)
    .filter((denial) => denial.taskId === id)
    .sort((a, b) => a.at - b.at);

/** What was kept from happening, in two words. */
export const DENIED: Record<Denial['kind'], string> = { host: 'Not reached', service: 'Not reached', file: 'Set aside' };

/** Answers, in words of a button. */
export const ALLOW: Record<Scope, string> = {
  once: 'Allow once',
  task: 'Allow for this task',
  project: 'Allow for this project',
  machine: 'Allow everywhere',
};
