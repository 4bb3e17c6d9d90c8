import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  statusOf,
  type Board,
  type InputOf,
  type MethodName,
  type OutputOf,
  type ParsedInputOf,
  methods,
  type Project,
  type StoredEvent,
  type Task,
  type TaskId,
  type Thread,
} from '../../agent-core/contract/index.ts';
import { createCore, type Client, type Core, type CoreOptions } from '../../agent-core/core.ts';
import { startModelServer, type ModelServer, type Script } from '../model-server/index.ts';

/** Git as the person runs it in their own checkout. */
export function git(cwd: string, ...args: string[]): string {
  return execFileSync('git', args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      HOME: cwd,
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_AUTHOR_NAME: 'Ada',
      GIT_AUTHOR_EMAIL: 'ada@example.com',
      GIT_COMMITTER_NAME: 'Ada',
      GIT_COMMITTER_EMAIL: 'ada@example.com',
    },
  }).trim();
}

/** A small repository with one commit on `main`. */
export function makeRepository(folder: string): string {
  execFileSync('git', ['init', '-q', '-b', 'main', folder]);
  writeFileSync(join(folder, 'a.txt'), 'one\ntwo\nthree\n');
  writeFileSync(join(folder, '.gitignore'), 'ignored/\n');
  git(folder, 'config', 'user.name', 'Ada');
  git(folder, 'config', 'user.email', 'ada@example.com');
  git(folder, 'add', '-A');
  git(folder, 'commit', '-qm', 'First');
  return folder;
}

/** Everything of a repository that a task must leave as it is. */
export function fingerprint(repo: string): string {
  return [
    git(repo, 'for-each-ref', '--format=%(refname) %(objectname)')
      .split('\n')
      .filter((line) => !/^refs\/(heads\/)?signalbox\//.test(line))
      .join('\n'),
    git(repo, 'config', '--local', '--list'),
    git(repo, 'status', '--porcelain'),
    git(repo, 'stash', 'list'),
    git(repo, 'rev-parse', 'HEAD'),
  ].join('\n--\n');
}

export class Rig {
  readonly folder = mkdtempSync(join(tmpdir(), 'signalbox-runtime-'));
  readonly home = join(this.folder, 'home');
  readonly repo = makeRepository(join(this.folder, 'my repo'));
  readonly events: StoredEvent[] = [];
  readonly client: Client = { id: 'test', threads: new Set(), send: () => {}, onClose: () => {} };
  model!: ModelServer;
  core!: Core;
  project!: Project;

  /** What a test changes of how the core is put together. */
  options: Partial<CoreOptions> = {};

  static async start(script: Script, options: Partial<CoreOptions> = {}): Promise<Rig> {
    const rig = new Rig();
    rig.options = options;
    rig.model = await startModelServer(script);
    await rig.open();
    rig.project = await rig.call('project/open', { path: rig.repo });
    return rig;
  }

  async open(): Promise<void> {
    this.core = await createCore({
      home: this.home,
      host: 'test',
      openOn: null,
      env: {
        PATH: process.env['PATH'],
        HOME: process.env['HOME'],
        OPENAI_BASE_URL: this.model.url,
        OPENAI_API_KEY: 'sk-test',
        SIGNALBOX_MODEL: 'gpt-5.5',
      },
      ...this.options,
    });
    this.core.onEvents((events) => this.events.push(...events));
  }

  call<M extends MethodName>(method: M, input: InputOf<M>): Promise<OutputOf<M>> {
    const parsed = methods[method].input.parse(input) as ParsedInputOf<M>;
    const handler = this.core.handlers[method] as (input: ParsedInputOf<M>, client: Client) => Promise<OutputOf<M>>;
    return handler(parsed, this.client);
  }

  get board(): Board {
    return this.core.snapshot().board;
  }
  task(id: TaskId): Task {
    return this.board.tasks[id]!;
  }
  thread(id: TaskId): Thread {
    return this.board.threads[this.board.attempts[this.task(id).attempt!]!.threadId]!;
  }
  worktree(id: TaskId): string {
    return this.board.workspaces[this.board.attempts[this.task(id).attempt!]!.workspaceId]!.path;
  }
  status(id: TaskId): string {
    return statusOf(this.board, this.task(id));
  }

  create(prompt: string, more: Partial<InputOf<'task/create'>> = {}): Promise<Task> {
    return this.call('task/create', { projectId: this.project.id, prompt, ...more });
  }

  /** Resolves when `is` holds, looking after each committed batch; rejects after a while with what is there instead. */
  until(is: () => boolean, what: string): Promise<void> {
    return new Promise((resolve, reject) => {
      if (is()) return resolve();
      const timer = setTimeout(() => {
        heard.dispose();
        reject(
          new Error(
            `never: ${what}. ${JSON.stringify(Object.values(this.board.threads).map((thread) => thread.turn))} ${JSON.stringify(Object.values(this.board.workspaces))}`,
          ),
        );
      }, 15_000);
      const heard = this.core.onEvents(() => {
        if (!is()) return;
        clearTimeout(timer);
        heard.dispose();
        resolve();
      });
    });
  }

  reaches(id: TaskId, status: string): Promise<void> {
    return this.until(() => this.status(id) === status, `“${this.task(id).title}” is ${status}`);
  }

  async close(): Promise<void> {
    await this.core.dispose();
    await this.model.close();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
