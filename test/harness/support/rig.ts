import { mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, vi } from 'vitest';
import type { Item, ItemOf, ItemType, Usage } from '../../../agent-core/contract/index.ts';
import {
  createSessions,
  ruleAllows,
  runTurn,
  type HistoryItem,
  type TurnHost,
  type TurnInput,
  type TurnOutcome,
} from '../../../agent-core/harness/index.ts';
import { newId } from '../../../agent-core/support/ids.ts';
import { startModelServer, type ModelServer, type ModelServerOptions, type Script, type Step } from '../../model-server/index.ts';
import { plainMachine } from './plain-machine.ts';

type Asked = Parameters<TurnHost['approve']>[0];
type Answer = Awaited<ReturnType<TurnHost['approve']>>;
type Questions = Parameters<TurnHost['ask']>[0];

/** A host that remembers all it is told, in order. */
export function recorder(overrides: Partial<TurnHost> = {}) {
  const log: { kind: 'started' | 'updated' | 'completed'; item: Item }[] = [];
  const history: HistoryItem[] = [];
  const deltas = new Map<string, string>();
  const logged = new Map<string, number>();
  const limits: (number | null)[] = [];
  const spent: Usage[] = [];
  const asked: Asked[] = [];
  const questions: Questions[] = [];
  const steering: string[] = [];
  const prefixes: string[][] = [];
  let answer: (request: Asked) => Answer | Promise<Answer> = () => ({ decision: 'declined', scope: 'once', note: '' });
  const note = (kind: 'started' | 'updated' | 'completed') => async (item: Item) => {
    log.push({ kind, item: structuredClone(item) });
  };
  const host: TurnHost = {
    itemStarted: note('started'),
    itemUpdated: note('updated'),
    itemCompleted: note('completed'),
    itemDelta: (id, text) => {
      deltas.set(id, (deltas.get(id) ?? '') + text);
    },
    appendHistory: async (items) => {
      history.push(...items);
    },
    replaceHistory: async (items) => {
      history.splice(0, history.length, ...items);
    },
    spent: (usage) => {
      spent.push(usage);
    },
    limited: (until) => {
      limits.push(until);
    },
    approve: async (request) => {
      asked.push(request);
      return answer(request);
    },
    ask: async (asks) => {
      questions.push(asks);
      return Object.fromEntries(asks.map(({ id, options }) => [id, options[0]?.label ?? 'as you like']));
    },
    takeSteering: () => steering.splice(0),
    runOutside: () => Promise.reject(new Error('nothing may run outside in this test')),
    ruleAllows: (argv) => ruleAllows(prefixes, argv),
    logOutput: (id, chunk) => {
      logged.set(id, (logged.get(id) ?? 0) + chunk.length);
      return undefined;
    },
    ...overrides,
  };
  return {
    host,
    log,
    history,
    deltas,
    logged,
    limits,
    spent,
    asked,
    questions,
    steering,
    prefixes,
    answers: (next: typeof answer) => {
      answer = next;
    },
    /** The newest state of each item of a type, in order of their start. */
    items: <T extends ItemType>(type: T): ItemOf<T>[] =>
      [...new Map(log.filter(({ item }) => item.type === type).map(({ item }) => [item.id, item])).values()] as ItemOf<T>[],
  };
}

const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close();
});
export const onEnd = (close: () => Promise<unknown>): void => {
  open.push(close);
};

export async function tempDir(): Promise<string> {
  const dir = await realpath(await mkdtemp(join(tmpdir(), 'signalbox-harness-')));
  onEnd(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** Quick retries, so that no test waits for what a person would. */
export const hurried = { pause: 5, maxPause: 20, idle: 2000, tellAfter: 30 };

/** A thread on a model server that follows a script, in a temporary worktree. */
export async function rig(
  script: Script | Step[][],
  options: { server?: ModelServerOptions; input?: Partial<TurnInput>; host?: Partial<TurnHost>; machine?: TurnInput['machine'] } = {},
) {
  const server: ModelServer = await startModelServer(
    typeof script === 'function' ? script : (_request, n) => script[n - 1] ?? [{ type: 'message', text: 'Done.' }],
    options.server,
  );
  onEnd(() => server.close());
  const worktree = options.machine?.spec.worktree ?? (await tempDir());
  const machine = options.machine ?? plainMachine(worktree);
  onEnd(() => machine.dispose());
  const sessions = createSessions();
  onEnd(() => sessions.dispose());
  const seen = recorder(options.host);
  const threadId = newId<TurnInput['threadId']>('thr');
  const turn = (text: string | null, more: Partial<TurnInput> = {}): Promise<TurnOutcome> =>
    runTurn(
      {
        threadId,
        turnId: newId<TurnInput['turnId']>('turn'),
        messages: text === null ? [] : [{ text, via: 'prompt' }],
        history: [...seen.history],
        model: { model: 'gpt-5.5', baseUrl: server.url, key: 'key', contextWindow: 272_000 },
        mode: 'workspace',
        approval: 'on-request',
        machine,
        cwd: worktree,
        patience: hurried,
        signal: new AbortController().signal,
        sessions,
        ...options.input,
        ...more,
      },
      seen.host,
    );
  return { server, worktree, machine, sessions, threadId, turn, ...seen };
}

export const until = <T>(check: () => T | Promise<T>): Promise<T> =>
  vi.waitFor(
    async () => {
      const value = await check();
      if (!value) throw new Error('not yet');
      return value;
    },
    { timeout: 10_000, interval: 10 },
  );

/** Whether a process still runs; one that nobody has reaped doesn't. */
export const runs = async (pid: number): Promise<boolean> => {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat !== '' && !/\) [ZX] /.test(stat);
};
