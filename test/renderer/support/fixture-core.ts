import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import {
  Failure,
  Request,
  methods,
  project as fold,
  toAppError,
  type Board,
  type DomainEvent,
  type ParsedInputOf,
  type MethodName,
  type OutputOf,
  type Snapshot,
  type StoredEvent,
  type TaskId,
  type Transient,
} from '../../../agent-core/contract/index.ts';
import { WIRE_PATH } from '../../../agent-core/hosts/serve.ts';
import { serveFile } from '../../../agent-core/hosts/static.ts';
import { host, sandbox, type Fixture } from './fixture-board.ts';

export const TOKEN = 'fixture-token';
type Handler<M extends MethodName> = (input: ParsedInputOf<M>) => OutputOf<M> | Promise<OutputOf<M>>;
export type Answers = { [M in MethodName]?: Handler<M> };

export interface FixtureCore {
  url: string;
  /** Everything that was asked, oldest first. */
  readonly calls: { method: string; params: unknown }[];
  readonly board: Board;
  emit(...events: DomainEvent[]): void;
  transient(...items: Transient[]): void;
  /** Skips a number, as a dropped batch would. */
  gap(): void;
  /** Answers from now on in another way. */
  answer(answers: Answers): void;
  /** Ends every socket; `false` also refuses new ones until it is called with `true`. */
  cut(accept: boolean): void;
  close(): Promise<void>;
}

/** Plain answers that change the board as the real core would, for what the shell does. */
function defaults(state: () => Board, emit: (...events: DomainEvent[]) => void): Answers {
  const phase = (taskId: TaskId, to: 'active' | 'archived') => emit({ type: 'task.phased', taskId, phase: to });
  return {
    'task/archive': ({ taskId }) => {
      phase(taskId, 'archived');
      return {};
    },
    'task/unarchive': ({ taskId }) => {
      phase(taskId, 'active');
      return {};
    },
    'task/start': ({ taskId }) => {
      phase(taskId, 'active');
      return {};
    },
    'task/delete': ({ taskId }) => {
      emit({ type: 'task.trashed', taskId });
      return {};
    },
    'task/restore': ({ taskId }) => {
      emit({ type: 'task.restored', taskId });
      return {};
    },
    'task/purge': ({ taskId }) => {
      emit({ type: 'task.purged', taskId });
      return {};
    },
    'task/rename': ({ taskId, title }) => {
      emit({ type: 'task.renamed', taskId, title });
      return {};
    },
    'approval/decide': ({ approvalIds, decision, scope, note }) => {
      for (const approvalId of approvalIds) {
        const approval = state().approvals[approvalId];
        if (approval)
          emit({
            type: 'approval.decided',
            approvalId,
            taskId: approval.taskId,
            decision: decision === 'approve' ? 'approved' : 'declined',
            scope: scope ?? 'once',
            note: note ?? '',
          });
      }
      return { decided: approvalIds };
    },
    'question/answer': ({ questionId, answers }) => {
      const question = state().questions[questionId]!;
      emit({ type: 'question.answered', questionId, taskId: question.taskId, answers });
      return {};
    },
    'project/branches': () => ({
      root: '/home/ada/code/atlas-web',
      repo: '/home/ada/code/atlas-web',
      subdir: '',
      branch: 'main',
      head: 'a'.repeat(40),
      branches: ['main', 'develop'],
      remoteBranches: ['origin/main'],
      files: 1284,
      warnings: [],
    }),
    'project/suggest': ({ prefix }) => ({
      folders: ['atlas-web', 'ledger']
        .map((name) => ({ path: `/home/ada/code/${name}`, repository: true }))
        .filter(({ path }) => path.startsWith(prefix)),
    }),
    'project/suggestions': () => ({
      suggestions: [
        {
          title: 'Fix the 2 skipped tests in checkout',
          detail: 'test/checkout.spec.ts skips both',
          prompt: 'Fix the 2 skipped tests in checkout.',
        },
        { title: 'Remove the 7 uses of moment', detail: 'Only reports still import it', prompt: 'Remove the 7 uses of moment.' },
        {
          title: 'Explain how a payment is posted',
          detail: 'Read-only: an answer, no changes',
          prompt: 'Explain how a payment is posted.',
        },
      ],
    }),
    'settings/write': ({ change }) => {
      const settings = { ...state().settings, ...change };
      emit({ type: 'settings.changed', settings });
      return settings;
    },
    'land/preview': () => ({ into: 'main', ahead: 2, behind: 0, clean: true, conflicts: [], blocked: null, uncommitted: 1 }),
    'land/merge': ({ taskId, method }) => {
      const landing = { method, into: 'main', commit: 'b'.repeat(40), at: Date.now() };
      emit({ type: 'task.landed', taskId, landing }, { type: 'task.phased', taskId, phase: 'archived' });
      return landing;
    },
    'system/selftest': () => sandbox,
    'thread/read': ({ threadId }) => ({ thread: state().threads[threadId]!, items: [], turns: [], more: false, seq: 0 }),
    'thread/subscribe': () => ({}),
    'thread/unsubscribe': () => ({}),
    'project/close': () => ({}),
    'recipe/include': () => ({ there: false, files: [], skipped: [], bytes: 0, problem: null }),
    'recipe/registries': () => ({ registries: [] }),
    'recipe/offer': () => ({ offer: null, problem: null }),
    'rule/revoke': () => ({}),
    'task/stop': () => ({}),
    'task/retry': () => ({}),
    'task/reorder': () => ({}),
    'terminal/list': () => ({ terminals: [] }),
    'diff/read': () => ({ from: 'a', to: 'b', files: [] }),
  };
}

/** The renderer as it was built into the folder `dist`, and a core behind it that is only a board: over the real wire, with the real CSP. */
export async function fixtureCore(fixture: Fixture, dist: string, more: Partial<Snapshot> = {}): Promise<FixtureCore> {
  let { board } = fixture;
  let seq = 1;
  let accept = true;
  const calls: FixtureCore['calls'] = [];
  const sockets = new Set<WebSocket>();
  const say = (socket: WebSocket, message: unknown) => socket.send(JSON.stringify(message));
  const emit = (...events: DomainEvent[]) => {
    const from = seq + 1;
    const stored: StoredEvent[] = events.map((event) => ({ seq: ++seq, at: Date.now(), event }));
    board = stored.reduce(fold, board);
    for (const socket of sockets) say(socket, { kind: 'events', from, to: seq, events: stored });
  };
  let answers: Answers = defaults(() => board, emit);
  const snapshot = (): Snapshot => ({ seq, board, activity: fixture.activity, sandbox, host, ...more });
  const handle = async (method: string, params: unknown): Promise<unknown> => {
    calls.push({ method, params });
    if (method === 'initialize') {
      if ((params as { token?: string }).token !== TOKEN) throw new Failure('unauthorized', 'The access token is missing or wrong.');
      return snapshot();
    }
    if (method === 'snapshot') return snapshot();
    const answer = answers[method as MethodName] as Handler<MethodName> | undefined;
    if (!answer) throw new Failure('not-found', `The fixture has no answer to ${method}.`);
    return answer(methods[method as MethodName].input.parse(params) as never);
  };
  const server = createServer((request, response) => void serveFile(dist, request, response).catch(() => response.destroy()));
  const wire = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, stream, head) => {
    if (!accept || request.url !== WIRE_PATH) {
      stream.destroy();
      return;
    }
    wire.handleUpgrade(request, stream, head, (socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
      socket.on('message', (data) => {
        const { id, method, params } = Request.parse(JSON.parse(String(data)));
        handle(method, params).then(
          (value) => say(socket, { kind: 'result', id, value }),
          (thrown: unknown) => say(socket, { kind: 'error', id, error: toAppError(thrown) }),
        );
      });
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/#token=${TOKEN}`,
    calls,
    get board() {
      return board;
    },
    emit,
    transient: (...items) => {
      for (const socket of sockets) say(socket, { kind: 'transient', items });
    },
    gap: () => {
      seq++;
    },
    answer: (next) => {
      answers = { ...answers, ...next };
    },
    cut: (next) => {
      accept = next;
      for (const socket of sockets) socket.terminate();
    },
    close: async () => {
      for (const socket of sockets) socket.terminate();
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}
