import {
  emptyBoard,
  project,
  type AttemptId,
  type Board,
  type DomainEvent,
  type Project,
  type ProjectId,
  type Task,
  type TaskId,
  type ThreadId,
  type Turn,
  type TurnId,
  type Workspace,
  type WorkspaceId,
  type ApprovalId,
  type ItemId,
  type Approval,
  noUsage,
} from '../../agent-core/contract/index.ts';
import { createTask } from '../../agent-core/domain/tasks.ts';
import { nextTurn } from '../../agent-core/domain/turns.ts';
import { defaultSettings } from '../../agent-core/runtime/settings.ts';
import { newId } from '../../agent-core/support/ids.ts';

/** A board built by folding events, as the core does. */
export class BoardBuilder {
  board: Board = emptyBoard(defaultSettings());
  #seq = 0;
  at = 1000;

  apply(...events: DomainEvent[]): this {
    for (const event of events) this.board = project(this.board, { seq: ++this.#seq, at: this.at, event });
    return this;
  }

  project(): Project {
    const value: Project = {
      id: newId<ProjectId>('proj'),
      name: 'atlas',
      root: '/atlas',
      repo: '/atlas',
      subdir: '',
      gitDir: '/atlas/.git',
      sample: false,
      openedAt: 1,
    };
    this.apply({ type: 'project.opened', project: value });
    return value;
  }

  task(projectId: ProjectId, more: { start?: boolean; dependsOn?: TaskId[]; prompt?: string } = {}): Task {
    const ids = {
      task: newId<TaskId>('task'),
      attempt: newId<AttemptId>('att'),
      thread: newId<ThreadId>('thr'),
      workspace: newId<WorkspaceId>('ws'),
    };
    this.apply(
      ...createTask(
        this.board,
        {
          projectId,
          prompt: more.prompt ?? 'Fix the failing test',
          start: more.start ?? true,
          dependsOn: more.dependsOn ?? [],
          origin: 'app',
          inPlace: false,
        },
        { base: { ref: 'main', kind: 'local' }, model: 'demo' },
        ids,
        this.at,
      ),
    );
    return this.board.tasks[ids.task]!;
  }

  workspace(task: Task, phase: Workspace['phase']): Workspace {
    const attempt = this.board.attempts[task.attempt!]!;
    const workspace: Workspace = {
      id: attempt.workspaceId,
      taskId: task.id,
      attemptId: attempt.id,
      phase,
      slug: 's',
      branch: 'signalbox/s',
      path: '/w',
      baseCommit: null,
      error: null,
      trashedAt: null,
    };
    this.apply({ type: 'task.phased', taskId: task.id, phase: 'active' }, { type: 'workspace.changed', workspace });
    return workspace;
  }

  turn(task: Task): Turn {
    const thread = this.board.threads[this.board.attempts[task.attempt!]!.threadId]!;
    const turn = nextTurn(thread, newId<TurnId>('turn'), this.at);
    this.apply({ type: 'turn.started', taskId: task.id, turn });
    return turn;
  }

  end(task: Task, turn: Turn, change: Partial<Turn> = {}): this {
    return this.apply({
      type: 'turn.ended',
      taskId: task.id,
      turn: { ...turn, status: 'completed', endedAt: this.at, usage: noUsage, ...change },
    });
  }

  approval(task: Task): Approval {
    const approval: Approval = {
      id: newId<ApprovalId>('appr'),
      taskId: task.id,
      threadId: this.board.attempts[task.attempt!]!.threadId,
      itemId: newId<ItemId>('item'),
      kind: 'escalate',
      subject: 'npm install',
      argv: ['npm', 'install'],
      cwd: '/w',
      reason: '',
      effect: '',
      prefix: ['npm', 'install'],
      at: this.at,
    };
    this.apply({ type: 'approval.requested', approval });
    return approval;
  }
}
