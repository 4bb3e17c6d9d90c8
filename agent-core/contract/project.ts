import type { Project, Task, Thread } from './values.ts';
import type { DomainEvent, DomainEventType, EventOf, StoredEvent } from './events.ts';
import type { ProjectId, TaskId, ThreadId } from './ids.ts';
import { addUsage, columnOf, statusOf, type Board } from './state.ts';

/** So many undos can be taken back. */
const UNDONE_KEPT = 20;

function without<T>(record: Record<string, T>, key: string): Record<string, T> {
  const { [key]: _gone, ...rest } = record;
  return rest;
}

function patchProject(board: Board, id: ProjectId, change: Partial<Project>): Board {
  const opened = board.projects[id];
  return opened ? { ...board, projects: { ...board.projects, [id]: { ...opened, ...change } } } : board;
}

function patchTask(board: Board, id: TaskId, at: number, change: Partial<Task>): Board {
  const task = board.tasks[id];
  if (!task) return board;
  return { ...board, tasks: { ...board.tasks, [id]: { ...task, updatedAt: at, ...change } } };
}

function patchThread(board: Board, id: ThreadId, change: (thread: Thread) => Partial<Thread>): Board {
  const thread = board.threads[id];
  if (!thread) return board;
  return { ...board, threads: { ...board.threads, [id]: { ...thread, ...change(thread) } } };
}

function dropTask(board: Board, id: TaskId): Board {
  const keep = <T extends { taskId: TaskId | null }>(record: Record<string, T>) =>
    Object.fromEntries(Object.entries(record).filter(([, value]) => value.taskId !== id));
  return {
    ...board,
    tasks: without(board.tasks, id),
    attempts: keep(board.attempts),
    workspaces: keep(board.workspaces),
    threads: keep(board.threads),
    approvals: keep(board.approvals),
    questions: keep(board.questions),
    denials: keep(board.denials),
    rules: keep(board.rules),
    reviews: keep(board.reviews),
  };
}

/** What one type of event does to the board; `at` is when it happened. */
type Applies<T extends DomainEventType> = { [Type in T]: (board: Board, event: EventOf<Type>, at: number) => Board };

const projects: Applies<Extract<DomainEventType, `project.${string}`>> = {
  'project.opened': (board, { project: opened }) => ({ ...board, projects: { ...board.projects, [opened.id]: opened } }),
  'project.closed': (board, { projectId }) => ({ ...board, projects: without(board.projects, projectId) }),
  'project.recipe': (board, { projectId, recipe }) => patchProject(board, projectId, { recipe }),
  'project.registries': (board, { projectId, registries }) => patchProject(board, projectId, { registries }),
  'project.searching': (board, { projectId, webSearch }) => patchProject(board, projectId, { webSearch }),
  'project.budgeted': (board, { projectId, budgets }) => patchProject(board, projectId, { budgets }),
  'project.reviewing': (board, { projectId, review }) => patchProject(board, projectId, { review }),
  'project.hooked': (board, { projectId, hash }) => patchProject(board, projectId, { hooksTrusted: hash ?? undefined }),
  'project.granted': (board, { projectId, grants }) => patchProject(board, projectId, { grants }),
};

const tasks: Applies<Extract<DomainEventType, `task.${string}`>> = {
  'task.created': (board, { task }) => ({ ...board, tasks: { ...board.tasks, [task.id]: task } }),
  'task.renamed': (board, { taskId, title }, at) => patchTask(board, taskId, at, { title }),
  'task.phased': (board, { taskId, phase }, at) => patchTask(board, taskId, at, { phase }),
  'task.ordered': (board, { taskId, order }, at) => patchTask(board, taskId, at, { order }),
  'task.depends': (board, { taskId, dependsOn }, at) => patchTask(board, taskId, at, { dependsOn }),
  'task.based': (board, { taskId, base }, at) => patchTask(board, taskId, at, { base }),
  'task.trashed': (board, { taskId }, at) =>
    patchTask(board, taskId, at, { phase: 'trashed', phaseBefore: board.tasks[taskId]?.phase ?? null }),
  'task.restored': (board, { taskId }, at) =>
    patchTask(board, taskId, at, { phase: board.tasks[taskId]?.phaseBefore ?? 'active', phaseBefore: null }),
  'task.purged': (board, { taskId }) => dropTask(board, taskId),
  'task.diffed': (board, { taskId, diff }, at) => patchTask(board, taskId, at, { diff }),
  'task.checked': (board, { taskId, check }, at) => patchTask(board, taskId, at, { check }),
  'task.seen': (board, { taskId, tree }, at) => patchTask(board, taskId, board.tasks[taskId]?.updatedAt ?? at, { seen: tree }),
  'task.modelled': (board, { taskId, model }, at) => patchTask(board, taskId, at, { model }),
  'task.prompted': (board, { taskId, prompt }, at) => patchTask(board, taskId, at, { prompt }),
  'task.landed': (board, { taskId, landing }, at) => patchTask(board, taskId, at, { landing }),
  'task.running': (board, { taskId, running }) => patchTask(board, taskId, board.tasks[taskId]?.updatedAt ?? 0, { running }),
  'task.moded': (board, { taskId, mode }, at) => patchTask(board, taskId, at, { mode }),
  'task.searching': (board, { taskId, webSearch }, at) => patchTask(board, taskId, at, { webSearch }),
  'task.budgeted': (board, { taskId, budgets }, at) => patchTask(board, taskId, at, { budgets }),
  'task.worked': (board, { taskId, commands, ms }, at) => {
    const { worked } = board.tasks[taskId] ?? {};
    return patchTask(board, taskId, at, { worked: { commands: (worked?.commands ?? 0) + commands, ms: (worked?.ms ?? 0) + ms } });
  },
  'task.granted': (board, { taskId, grants }, at) => patchTask(board, taskId, at, { grants }),
};

const work: Applies<Extract<DomainEventType, `${'attempt' | 'workspace' | 'turn' | 'thread' | 'queue'}.${string}`>> = {
  'attempt.created': (board, { attempt, thread }, at) =>
    patchTask(
      {
        ...board,
        attempts: { ...board.attempts, [attempt.id]: attempt },
        threads: { ...board.threads, [thread.id]: thread },
      },
      attempt.taskId,
      at,
      { attempt: attempt.id },
    ),
  'workspace.changed': (board, { workspace }) => ({ ...board, workspaces: { ...board.workspaces, [workspace.id]: workspace } }),
  'workspace.purged': (board, { workspaceId }) => ({ ...board, workspaces: without(board.workspaces, workspaceId) }),
  'turn.started': turned,
  'turn.updated': (board, { turn }) => patchThread(board, turn.threadId, (thread) => (thread.turn?.id === turn.id ? { turn } : {})),
  'turn.ended': turned,
  'turn.spent': (board, { taskId, usage }, at) => {
    const task = board.tasks[taskId];
    return task ? patchTask(board, taskId, at, { usage: addUsage(task.usage, usage) }) : board;
  },
  'thread.limited': (board, { threadId, until }) => patchThread(board, threadId, () => ({ limitedUntil: until })),
  'thread.rewound': (board, { taskId, threadId, hidden, shown, turn }, at) =>
    patchThread(patchTask(board, taskId, at, {}), threadId, (thread) => ({
      turn,
      limitedUntil: null,
      undone: [...(thread.undone ?? []).filter(({ id }) => id !== shown), ...(hidden ? [hidden] : [])].slice(-UNDONE_KEPT),
    })),
  'queue.edited': (board, { threadId, messageId, change }) =>
    patchThread(board, threadId, (thread) => ({
      queue: thread.queue.map((message) => (message.id === messageId ? { ...message, ...change } : message)),
    })),
  'queue.moved': (board, { threadId, messageId, before }) =>
    patchThread(board, threadId, ({ queue }) => {
      const moved = queue.find((message) => message.id === messageId);
      if (!moved || before === messageId) return {};
      const rest = queue.filter((message) => message !== moved);
      const at = before === null ? rest.length : rest.findIndex((message) => message.id === before);
      return at < 0 ? {} : { queue: rest.toSpliced(at, 0, moved) };
    }),
  'queue.added': (board, { threadId, message }) => patchThread(board, threadId, (thread) => ({ queue: [...thread.queue, message] })),
  'queue.removed': (board, { threadId, messageId }) =>
    patchThread(board, threadId, (thread) => ({ queue: thread.queue.filter((message) => message.id !== messageId) })),
};

function turned(board: Board, { taskId, turn }: EventOf<'turn.started' | 'turn.ended'>, at: number): Board {
  return patchThread(patchTask(board, taskId, at, {}), turn.threadId, () => ({ turn, limitedUntil: null }));
}

const gates: Applies<Extract<DomainEventType, `${'approval' | 'question' | 'denial' | 'rule'}.${string}`>> = {
  'approval.requested': (board, { approval }) => ({ ...board, approvals: { ...board.approvals, [approval.id]: approval } }),
  'approval.decided': (board, { approvalId }) => ({ ...board, approvals: without(board.approvals, approvalId) }),
  'question.asked': (board, { question }) => ({ ...board, questions: { ...board.questions, [question.id]: question } }),
  'question.answered': (board, { questionId }) => ({ ...board, questions: without(board.questions, questionId) }),
  'denial.recorded': (board, { denial }) => ({ ...board, denials: { ...board.denials, [denial.id]: denial } }),
  'denial.decided': (board, { denialId }) => ({ ...board, denials: without(board.denials, denialId) }),
  'rule.saved': (board, { rule }) => ({ ...board, rules: { ...board.rules, [rule.id]: rule } }),
  'rule.revoked': (board, { ruleId }) => ({ ...board, rules: without(board.rules, ruleId) }),
};

const reviews: Applies<Extract<DomainEventType, `review.${string}`>> = {
  // One that ends after its task is gone for good leaves nothing.
  'review.changed': (board, { review }) =>
    board.tasks[review.taskId] ? { ...board, reviews: { ...board.reviews, [review.id]: review } } : board,
  'review.dropped': (board, { reviewId }) => ({ ...board, reviews: without(board.reviews, reviewId) }),
};

/** The conversations are no part of the board. */
const same = (board: Board): Board => board;

const applies: Applies<DomainEventType> = {
  ...projects,
  ...tasks,
  ...work,
  ...gates,
  ...reviews,
  'mcp.saved': (board, { server }) => ({ ...board, mcpServers: { ...board.mcpServers, [server.id]: server } }),
  'mcp.removed': (board, { serverId }) => ({ ...board, mcpServers: without(board.mcpServers, serverId) }),
  'settings.changed': (board, { settings }) => ({ ...board, settings }),
  'item.started': same,
  'item.updated': same,
  'item.completed': same,
};

/** What an event does to the parts of the board that are not tasks' waiting clocks. */
function apply(board: Board, { at, event }: StoredEvent): Board {
  const does = applies[event.type] as (board: Board, event: DomainEvent, at: number) => Board;
  return does(board, event, at);
}

const taskOf = (event: StoredEvent['event']): TaskId | null =>
  'taskId' in event
    ? event.taskId
    : event.type === 'approval.requested'
      ? event.approval.taskId
      : event.type === 'denial.recorded'
        ? event.denial.taskId
        : event.type === 'question.asked'
          ? event.question.taskId
          : event.type === 'workspace.changed'
            ? event.workspace.taskId
            : null;

/**
 * Folds one event into the board. Pure and total: an event about something unknown changes nothing.
 * The core and every client run this same function, so they can't disagree.
 */
export function project(board: Board, stored: StoredEvent): Board {
  const next = apply(board, stored);
  const id = taskOf(stored.event);
  const task = id ? next.tasks[id] : undefined;
  if (!task || next === board) return next;
  const waits = columnOf(statusOf(next, task)) === 'needs-you' || statusOf(next, task) === 'review';
  if (waits === (task.waitingSince !== null)) return next;
  return { ...next, tasks: { ...next.tasks, [task.id]: { ...task, waitingSince: waits ? stored.at : null } } };
}
