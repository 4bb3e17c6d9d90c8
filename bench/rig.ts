import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import {
  methods,
  statusOf,
  type InputOf,
  type MethodName,
  type OutputOf,
  type ParsedInputOf,
  type TaskId,
  type Thread,
} from '../agent-core/contract/index.ts';
import { createCore, type Client, type Core } from '../agent-core/core.ts';

/** A child process that is asked and answers in lines. */
export class Lines {
  readonly #child;
  readonly #lines: AsyncIterator<string>;

  constructor(file: string, args: string[]) {
    this.#child = spawn(process.execPath, [join(import.meta.dirname, file), ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  async next(): Promise<string> {
    const line = await this.#lines.next();
    if (line.done) throw new Error('The process ended.');
    return line.value;
  }
  ask(line: string): Promise<string> {
    this.#child.stdin.write(`${line}\n`);
    return this.next();
  }
  end(): void {
    this.#child.stdin.end();
  }
}

/** A real core on a home of its own, as a client sees it. */
export class CoreRig {
  readonly core: Core;
  readonly #client: Client = { id: 'bench', threads: new Set(), send: () => {}, onClose: () => {} };

  constructor(core: Core) {
    this.core = core;
  }

  static async open(home: string, modelUrl: string): Promise<CoreRig> {
    const { PATH, HOME } = process.env;
    const env = { PATH, HOME, OPENAI_BASE_URL: modelUrl, OPENAI_API_KEY: 'sk-bench', SIGNALBOX_MODEL: 'bench' };
    return new CoreRig(await createCore({ home, host: 'test', openOn: null, env }));
  }

  call<M extends MethodName>(method: M, input: InputOf<M>): Promise<OutputOf<M>> {
    const handler = this.core.handlers[method] as (input: ParsedInputOf<M>, client: Client) => Promise<OutputOf<M>>;
    return handler(methods[method].input.parse(input) as ParsedInputOf<M>, this.#client);
  }

  status(id: TaskId): string {
    const { board } = this.core.snapshot();
    return statusOf(board, board.tasks[id]!);
  }
  thread(id: TaskId): Thread {
    const { board } = this.core.snapshot();
    return board.threads[board.attempts[board.tasks[id]!.attempt!]!.threadId]!;
  }

  /** Resolves when all these tasks are ready for review; rejects when one failed. */
  settled(ids: readonly TaskId[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): boolean => {
        const all = ids.map((id) => this.status(id));
        if (all.includes('failed')) reject(new Error(`A task failed: ${JSON.stringify(this.thread(ids[all.indexOf('failed')]!))}`));
        return all.every((status) => status === 'review');
      };
      if (look()) return resolve();
      const heard = this.core.onEvents((events) => {
        if (!events.some(({ event }) => event.type === 'turn.ended' || event.type === 'workspace.changed') || !look()) return;
        heard.dispose();
        resolve();
      });
    });
  }

  /** Makes tasks and waits until their first turn is over. */
  async tasks(repo: string, count: number): Promise<TaskId[]> {
    const project = await this.call('project/open', { path: repo });
    const made = await Promise.all(
      Array.from({ length: count }, (_, n) => this.call('task/create', { projectId: project.id, prompt: `Task ${n}` })),
    );
    const ids = made.map((task) => task.id);
    await this.settled(ids);
    return ids;
  }

  /** One more turn of each, all at once, to their ends. */
  async turns(ids: readonly TaskId[]): Promise<void> {
    await Promise.all(ids.map((id) => this.call('turn/start', { threadId: this.thread(id).id, text: 'Go on.' })));
    await this.settled(ids);
  }
}
