import type { Item } from '../contract/index.ts';
import { ABORTED, outputOf, type CallItem } from './history.ts';
import { newItem } from './items.ts';
import type { Sessions } from './tools/session.ts';
import { tools } from './tools/index.ts';
import { Rejected, type Call, type Tool, type ToolOutput } from './tools/types.ts';
import type { TurnHost, TurnInput } from './types.ts';

/** Lets readers run together and writers alone, in the order in which they came. */
export class ReadWriteLock {
  #writer: Promise<unknown> = Promise.resolve();
  #readers: Promise<unknown>[] = [];

  run<T>(shared: boolean, work: () => Promise<T>): Promise<T> {
    const before = shared ? this.#writer : Promise.all([this.#writer, ...this.#readers]);
    const done = before.then(work);
    const settled = done.catch(() => {});
    if (shared) this.#readers.push(settled);
    else {
      this.#writer = settled;
      this.#readers = [];
    }
    return done;
  }
}

/** Writes under way. One that fails is heard of at the end of the step, not as an unhandled rejection before. */
class Pending {
  readonly #writes: Promise<void>[] = [];
  add(write: Promise<void>): void {
    write.catch(() => {});
    this.#writes.push(write);
  }
  async all(): Promise<void> {
    await Promise.all(this.#writes);
  }
}

const own = new Map(tools.map((tool) => [tool.name, tool]));
/** Ours come first: a server can't take the name of one. */
const toolOf = (name: string, { serverTools = [] }: TurnInput): Tool | undefined =>
  own.get(name) ?? serverTools.find((tool) => tool.name === name);

export interface Step {
  input: TurnInput;
  host: TurnHost;
  sessions: Sessions;
  /** Resolves once the model's reply, with its calls, is durable. */
  recorded: Promise<void>;
  /** Calls that were begun before, with the item that goes on. */
  resumed?: ReadonlyMap<string, Item | null>;
}

/**
 * Runs the calls of one reply and records each output in the calls' order. Every call gets an output: what the
 * model did wrong is told to it. Rejects with the `Failure` that must end the turn, after all outputs are recorded.
 */
export async function runCalls(
  calls: CallItem[],
  step: Step,
  record: (output: ReturnType<typeof outputOf>) => Promise<void>,
): Promise<void> {
  const lock = new ReadWriteLock();
  const durable = new Pending();
  let failure: unknown = null;
  const outputs = calls.map((call) =>
    lock.run(toolOf(call.name, step.input)?.parallel ?? true, async () => {
      if (step.input.signal.aborted || failure) return ABORTED;
      try {
        return await runOne(call, step, durable);
      } catch (thrown) {
        if (step.input.signal.aborted) return ABORTED;
        if (!(thrown instanceof Rejected)) failure ??= thrown;
        return said(thrown);
      }
    }),
  );
  for (const [at, output] of outputs.entries()) durable.add(record(outputOf(calls[at]!, await output)));
  await durable.all();
  if (failure) throw failure;
}

async function runOne(item: CallItem, step: Step, durable: Pending): Promise<ToolOutput> {
  const { input, host, sessions, recorded } = step;
  const tool = toolOf(item.name, input);
  if (!tool) return refuse(`unsupported call: ${item.name}`, item, step, durable);
  const begun = new Map<string, Item>();
  const call: Call = {
    id: item.call_id,
    input,
    host,
    sessions,
    recorded,
    item: (type) => ({ ...newItem(input, type), ...begunBefore(step.resumed?.get(item.call_id), type) }),
    begin: async (started) => {
      begun.set(started.id, started);
      await Promise.all([recorded, host.itemStarted(started)]);
    },
    end: (ended) => {
      begun.delete(ended.id);
      durable.add(host.itemCompleted(ended));
    },
  };
  const args = argumentsOf(item);
  if (args instanceof Rejected) return refuse(args.message, item, step, durable);
  const before = await host.calling?.(item.name, args, item.call_id);
  if (before?.refuse) return refuse(`refused by a hook: ${before.refuse}`, item, step, durable);
  try {
    const output = await tool.run(args, call);
    const note = await host.settled?.(item.name, args, textIn(output), item.call_id);
    return withNotes(output, [before?.context, note]);
  } catch (thrown) {
    for (const open of begun.values()) call.end(brokenOff(open, input.signal.aborted ? 'interrupted' : 'failed', said(thrown)));
    throw thrown;
  }
}

/** What a new item has of the one that its call began before. */
const begunBefore = (before: Item | null | undefined, type: Item['type']): Pick<Item, 'id' | 'turnId' | 'startedAt'> | null =>
  before?.type === type ? { id: before.id, turnId: before.turnId, startedAt: before.startedAt } : null;
const textIn = (output: ToolOutput): string =>
  typeof output === 'string' ? output : output.map((part) => (part.type === 'input_text' ? part.text : '[image]')).join('\n');

function withNotes(output: ToolOutput, notes: (string | null | undefined)[]): ToolOutput {
  const told = notes.filter(Boolean).join('\n\n');
  if (!told) return output;
  return typeof output === 'string' ? `${output}\n\n${told}` : [...output, { type: 'input_text', text: told }];
}

const said = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));

function argumentsOf(call: CallItem): unknown {
  if (call.type === 'custom_tool_call') return call.input;
  try {
    return JSON.parse(call.arguments || '{}');
  } catch (thrown) {
    return new Rejected(
      `failed to parse arguments of ${call.name}: they are not valid JSON (${said(thrown)}). Call it again with complete JSON.`,
    );
  }
}

/** An item whose tool gave up in the middle. */
function brokenOff(item: Item, status: 'interrupted' | 'failed', why: string): Item {
  const ended = { ...item, endedAt: Date.now() };
  if (ended.type === 'command' || ended.type === 'toolCall') return { ...ended, status, output: status === 'failed' ? why : ended.output };
  return ended.type === 'fileChange' ? { ...ended, status, error: why } : ended;
}

/** A call that could not even begin still shows in the conversation. */
function refuse(why: string, call: CallItem, { input, host, recorded }: Step, durable: Pending): string {
  const item = {
    ...newItem(input, 'toolCall' as const),
    name: call.name,
    arguments: call.type === 'function_call' ? call.arguments : call.input,
    status: 'failed' as const,
    output: why,
    endedAt: Date.now(),
  };
  for (const written of [recorded, host.itemStarted(item), host.itemCompleted(item)]) durable.add(written);
  return why;
}
