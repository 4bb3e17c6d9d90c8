import {
  noGrants,
  type Connection,
  type Denial,
  type Grants,
  type Scope,
  type StoredEvent,
  type TaskId,
  type WorkspaceId,
} from '../contract/index.ts';
import { getTask } from '../domain/tasks.ts';
import type { ConnectionEntry, Grantable, NetworkOptions } from '../sandbox/index.ts';
import type { Policy } from '../sandbox/types.ts';
import type { Store } from '../storage/store.ts';
import type { Context } from './context.ts';
import { forgetCredentials, headerOf } from './credentials.ts';
import { addGrants, joinGrants } from './grants.ts';
import { NetworkLog } from './network-log.ts';

/** A task with more open denials than this gets no further ones: what knocks at hundreds of doors is seen by then. */
const MOST_OPEN = 20;

const grantOf = ({ kind, pattern }: Grantable): Partial<Grants> => (kind === 'host' ? { hosts: [pattern] } : { services: [pattern] });

/** What tasks may reach of the network, what they tried, and what a person is asked about it. */
export class Networks {
  readonly #store: Store;
  readonly #report: (message: string, error?: unknown) => void;
  #context: Context | null = null;
  readonly #log: NetworkLog;
  /** What was allowed once: until the turn ends. */
  readonly #once = new Map<TaskId, Grants>();
  /** What the recipe's setup may reach: while it runs. */
  readonly #lent = new Map<TaskId, Grants>();
  /** Said to the agent at its next step. */
  readonly #notices = new Map<TaskId, string[]>();
  /** What the agent was told of already, and what the person waved off: not said and not asked again. */
  readonly #told = new Map<TaskId, Set<string>>();
  /** Denials that are being written, so that two connections to one host make one. */
  readonly #asked = new Map<string, { taskId: TaskId; subject: string }>();

  constructor(options: { home: string; store: Store; log: (message: string, error?: unknown) => void }) {
    this.#store = options.store;
    this.#report = options.log;
    this.#log = new NetworkLog(options.home, (taskId) => this.#context?.transients.emit({ type: 'network', taskId }));
  }

  /** What the sandbox is to watch, and whom to tell. Only a task's workspace has somebody to ask. */
  get watching(): Pick<NetworkOptions, 'log' | 'watch' | 'credential'> {
    return {
      watch: (machine) => machine.startsWith('ws_'),
      credential: async (id) => (this.#context ? headerOf(this.#context, id) : null),
      log: (machine, entry) => {
        const taskId = this.#store.board.workspaces[machine]?.taskId;
        if (taskId) this.#saw(taskId, entry);
      },
    };
  }

  begin(context: Context): void {
    this.#context = context;
    const through = (denial: Denial, scope: Scope) => this.#letThrough(denial, scope);
    context.denials.handle('host', through);
    context.denials.handle('service', through);
    context.events.on((events) => {
      for (const { event } of events) this.#follow(event);
    });
  }

  /** The network of a workspace by the grants of its project, its task and this turn. */
  of(id: WorkspaceId): Policy['network'] {
    const { board } = this.#store;
    const taskId = board.workspaces[id]?.taskId;
    const task = taskId ? board.tasks[taskId] : undefined;
    if (!task) return { allow: [] };
    const { hosts, services } = joinGrants(
      board.projects[task.projectId]?.grants,
      task.grants,
      this.#once.get(task.id),
      this.#lent.get(task.id),
    );
    const credentials = board.projects[task.projectId]?.grants?.credentials ?? [];
    return { allow: hosts, services, ...(credentials.length ? { credentials: credentials.map(({ id, host }) => ({ id, host })) } : {}) };
  }

  /** Lets a task's sandbox reach more while `work` runs; connections that only this allowed are cut after it. */
  async lend<T>(taskId: TaskId, grants: Grants, work: () => Promise<T>): Promise<T> {
    this.#lent.set(taskId, grants);
    try {
      await this.apply(({ id }) => id === taskId);
      return await work();
    } finally {
      this.#lent.delete(taskId);
      await this.apply(({ id }) => id === taskId);
    }
  }

  /** Whether a person has a port of the task open. */
  hasOpenPort(taskId: TaskId): boolean {
    const workspace = Object.values(this.#store.board.workspaces).find((one) => one.taskId === taskId);
    return workspace !== undefined && this.#context?.workspaces.running(workspace.id)?.confined.ports?.anyOpen === true;
  }

  takeNotices(taskId: TaskId): string[] {
    const notices = this.#notices.get(taskId) ?? [];
    this.#notices.delete(taskId);
    return notices;
  }

  page(taskId: TaskId, before: number | undefined, limit: number): { entries: Connection[]; more: boolean } {
    return this.#log.page(taskId, before ?? Infinity, limit);
  }

  /** Writes what the log still holds. */
  dispose(): void {
    this.#log.flush();
  }

  /** Brings what runs up to date with its grants; done when it resolves. */
  async apply(which: (task: { id: TaskId; projectId: string }) => boolean): Promise<void> {
    const { board } = this.#store;
    const due = Object.values(board.workspaces).filter(({ taskId }) => {
      const task = board.tasks[taskId];
      return task !== undefined && which(task);
    });
    await Promise.all(due.map(async ({ id }) => this.#context?.workspaces.regrant(id)));
  }

  #follow(event: StoredEvent['event']): void {
    switch (event.type) {
      case 'project.granted':
        void this.apply(({ projectId }) => projectId === event.projectId);
        break;
      case 'task.granted':
        void this.apply(({ id }) => id === event.taskId);
        break;
      case 'turn.ended':
        this.#told.delete(event.taskId);
        if (this.#once.delete(event.taskId)) void this.apply(({ id }) => id === event.taskId);
        break;
      case 'denial.decided': {
        const asked = this.#asked.get(event.denialId);
        this.#asked.delete(event.denialId);
        if (asked && event.decision === 'allowed') this.#told.get(asked.taskId)?.delete(asked.subject);
        break;
      }
      case 'project.closed':
        if (this.#context) void forgetCredentials(this.#context, event.projectId);
        break;
      case 'task.purged':
        this.#log.forget(event.taskId);
        this.#notices.delete(event.taskId);
        break;
      default:
    }
  }

  #saw(taskId: TaskId, entry: ConnectionEntry): void {
    const { time, host, port, bytesIn, bytesOut, verdict, reason = '', command = '' } = entry;
    this.#log.append(taskId, { time, host, port, bytesIn, bytesOut, verdict, reason, command });
    if (verdict !== 'blocked') return;
    const told = this.#told.get(taskId) ?? new Set<string>();
    this.#told.set(taskId, told);
    const subject = entry.grant?.pattern ?? `${host}:${port}`;
    if (told.has(subject) || told.size >= MOST_OPEN) return;
    told.add(subject);
    const by = this.#commandOf(taskId, command);
    this.#notice(taskId, blockedWords(subject, by, reason, entry.grant !== undefined));
    if (entry.grant) void this.#ask(taskId, entry.grant, by, reason).catch((error: unknown) => this.#report('recording a denial', error));
  }

  /** The command that the agent ran says more than the process that it started; with several at once only the process tells. */
  #commandOf(taskId: TaskId, process: string): string {
    const doing = this.#context?.activity.get(taskId);
    return doing?.verb === 'running' && doing.subject !== '' ? doing.subject : process;
  }

  #notice(taskId: TaskId, text: string): void {
    this.#notices.set(taskId, [...(this.#notices.get(taskId) ?? []).slice(-MOST_OPEN), text]);
  }

  async #ask(taskId: TaskId, grant: Grantable, command: string, reason: string): Promise<void> {
    const denials = Object.values(this.#store.board.denials).filter((denial) => denial.taskId === taskId);
    if (denials.length >= MOST_OPEN) return;
    const denial = await this.#context?.denials.record({
      taskId,
      kind: grant.kind,
      subject: grant.pattern,
      command,
      detail: `${reason} Allowing it lets the task’s commands connect there.`,
      scopes: ['once', 'task', 'project'],
    });
    if (denial) this.#asked.set(denial.id, { taskId, subject: denial.subject });
  }

  async #letThrough(denial: Denial, scope: Scope): Promise<void> {
    const { taskId, subject, kind } = denial;
    const more = grantOf({ kind: kind === 'service' ? 'service' : 'host', pattern: subject });
    const task = getTask(this.#store.board, taskId);
    if (scope === 'once') this.#once.set(taskId, addGrants(this.#once.get(taskId) ?? noGrants, more));
    else if (scope === 'task')
      await this.#store.commit({ events: [{ type: 'task.granted', taskId, grants: addGrants(task.grants ?? noGrants, more) }] });
    else {
      const { projectId } = task;
      const before = this.#store.board.projects[projectId]?.grants ?? noGrants;
      await this.#store.commit({ events: [{ type: 'project.granted', projectId, grants: addGrants(before, more) }] });
    }
    await this.apply(({ id, projectId }) => (scope === 'project' ? projectId === task.projectId : id === taskId));
    const long = { once: 'until this turn ends', task: 'for this task', project: 'for this project', machine: 'everywhere' }[scope];
    this.#notice(taskId, `The person has allowed connections to ${subject} ${long}. They work from the next one on.`);
  }
}

function blockedWords(subject: string, command: string, reason: string, asked: boolean): string {
  const by = command === '' ? '' : ` that \`${command}\` asked for`;
  const next = asked
    ? 'The person sees this and can allow it at any time; you will be told. Until then do without it, and don’t look for a way around.'
    : 'Do without it, and don’t look for a way around.';
  return `The sandbox blocked a connection to ${subject}${by}: ${reason} ${next}`;
}
