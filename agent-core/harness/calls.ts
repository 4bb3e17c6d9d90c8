import { ABORTED, outputOf, type CallItem } from './history.ts';
import { newItem } from './items.ts';
import type { Sessions } from './tools/session.ts';
import { tools } from './tools/index.ts';
import { Rejected, type Call, type ToolOutput } from './tools/types.ts';
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

const byName = new Map(tools.map((tool) => [tool.name, tool]));

export interface Step {
  input: TurnInput;
  host: TurnHost;
  sessions: Sessions;
  /** Resolves once the model's reply, with its calls, is durable. */
  recorded: Promise<void>;
}

/**
 * Runs the calls of one reply and records each output in the calls' order. Every call gets an output: what the
 * model did wrong is told to it. Rejects with the `Failure` that must end the turn, after all outputs are recorded.
 */
export async function runCalls(calls: CallItem[], step: Step, record: (output: ReturnType<typeof outputOf>) => Promise<void>): Promise<void> {
  const lock = new ReadWriteLock();
  const durable: Promise<void>[] = [];
  let failure: unknown = null;
  const outputs = calls.map((call) => lock.run(byName.get(call.name)?.parallel ?? true, async () => {
    if (step.input.signal.aborted || failure) return ABORTED;
    try {
      return await runOne(call, step, durable);
    } catch (thrown) {
      if (step.input.signal.aborted) return ABORTED;
      if (thrown instanceof Rejected) return thrown.message;
      failure ??= thrown;
      return `${call.name} failed: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
    }
  }));
  for (const [at, output] of outputs.entries()) durable.push(record(outputOf(calls[at]!, await output)));
  await Promise.all(durable);
  if (failure) throw failure;
}

async function runOne(item: CallItem, step: Step, durable: Promise<void>[]): Promise<ToolOutput> {
  const { input, host, sessions, recorded } = step;
  const tool = byName.get(item.name);
  if (!tool) return refuse(`unsupported call: ${item.name}`, item, step, durable);
  const call: Call = {
    id: item.call_id, input, host, sessions,
    item: (type) => newItem(input, type),
    begin: async (started) => { await Promise.all([recorded, host.itemStarted(started)]); },
    end: (ended) => { durable.push(host.itemCompleted(ended)); },
  };
  if (item.type === 'custom_tool_call') return tool.run(item.input, call);
  let args: unknown;
  try {
    args = JSON.parse(item.arguments || '{}');
  } catch (thrown) {
    return refuse(`failed to parse arguments of ${item.name}: they are not valid JSON (${thrown instanceof Error ? thrown.message : ''}). Call it again with complete JSON.`, item, step, durable);
  }
  return tool.run(args, call);
}

/** A call that could not even begin still shows in the conversation. */
function refuse(why: string, call: CallItem, { input, host, recorded }: Step, durable: Promise<void>[]): string {
  const item = { ...newItem(input, 'toolCall' as const), name: call.name, arguments: call.type === 'function_call' ? call.arguments : call.input, status: 'failed' as const, output: why, endedAt: Date.now() };
  durable.push(recorded, host.itemStarted(item), host.itemCompleted(item));
  return why;
}

