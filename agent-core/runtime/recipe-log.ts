import { ITEM_OUTPUT_LIMIT, type Item, type ItemId, type ItemOf, type TaskId, type TurnId } from '../contract/index.ts';
import { HeadTail } from '../harness/tools/output.ts';
import { newId } from '../support/ids.ts';
import { taskParts, type Context } from './context.ts';

/** Live text sent to whoever watches; the rest is in the log on disk and in the item's head and tail. */
const LIVE_BYTES = 256 * 1024;
const DELTA_BYTES = 8192;
/** What a failure carries of a script's output: its end, where the reason stands. */
const TAIL = 4000;

/** A script of the recipe as a line of the task's conversation, with its output as it comes. */
export class ScriptLog {
  readonly #context: Context;
  readonly #taskId: TaskId;
  readonly #item: ItemOf<'command'>;
  readonly #shown = new HeadTail(ITEM_OUTPUT_LIMIT - 64);
  readonly #decoder = new TextDecoder();
  #live = LIVE_BYTES;

  private constructor(context: Context, taskId: TaskId, item: ItemOf<'command'>) {
    this.#context = context;
    this.#taskId = taskId;
    this.#item = item;
  }

  /** Durable when it resolves: a core that dies meanwhile leaves an item that the next one closes. */
  static async begin(context: Context, taskId: TaskId, script: 'setup' | 'teardown', command: string, cwd: string): Promise<ScriptLog> {
    const item: ItemOf<'command'> = {
      id: newId<ItemId>('item'),
      threadId: taskParts(context, taskId).thread.id,
      // It belongs to no turn: it comes before the first, or after the last.
      turnId: newId<TurnId>('turn'),
      startedAt: context.now(),
      endedAt: null,
      type: 'command',
      command,
      cwd,
      status: 'running',
      exitCode: null,
      output: '',
      outputBytes: 0,
      sessionId: null,
      outside: false,
      script,
    };
    await context.outputs.prepare(item.threadId);
    await context.store.commit({ events: [{ type: 'item.started', taskId, item }] });
    return new ScriptLog(context, taskId, item);
  }

  add(chunk: Uint8Array): void {
    const { id, threadId } = this.#item;
    this.#shown.add(chunk);
    void this.#context.outputs.append(threadId, id, chunk);
    const part = chunk.subarray(0, Math.max(0, this.#live));
    this.#live -= part.length;
    for (let at = 0; at < part.length; at += DELTA_BYTES) {
      const text = this.#decoder.decode(part.subarray(at, at + DELTA_BYTES), { stream: true });
      this.#context.transients.emit({ type: 'item.delta', threadId, itemId: id, text });
    }
  }

  /** The end of what it printed. */
  get tail(): string {
    return this.#shown.text(() => '\n…\n').slice(-TAIL);
  }

  async end(status: 'completed' | 'failed' | 'interrupted', exitCode: number | null): Promise<void> {
    const item: Item = {
      ...this.#item,
      status,
      exitCode,
      endedAt: this.#context.now(),
      output: this.#shown.text((bytes) => `\n… ${bytes} bytes …\n`),
      outputBytes: this.#shown.total,
    };
    await this.#context.store.commit({ events: [{ type: 'item.completed', taskId: this.#taskId, item }] });
  }
}
