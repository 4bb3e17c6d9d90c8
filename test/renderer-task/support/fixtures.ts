import {
  emptyBoard,
  noUsage,
  type Board,
  type DiffFile,
  type Item,
  type ItemOf,
  type ItemType,
  type Settings,
  type Task,
  type Thread,
  type Turn,
  type Workspace,
} from '../../../agent-core/contract/index.ts';

const tail = (name: string): string => name.padEnd(12, '0');
export const ids = {
  project: `proj_${tail('p')}` as Task['projectId'],
  task: `task_${tail('t')}` as Task['id'],
  attempt: `att_${tail('a')}` as NonNullable<Task['attempt']>,
  workspace: `ws_${tail('w')}` as Workspace['id'],
  thread: `thr_${tail('h')}` as Thread['id'],
  turn: `turn_${tail('u')}` as Turn['id'],
};
export const itemId = (number: number): Item['id'] => `item_${String(number).padStart(12, '0')}` as Item['id'];

const settings: Settings = {
  baseUrl: '',
  wire: 'responses',
  model: 'demo',
  hasKey: false,
  keySource: 'none',
  concurrency: 3,
  theme: 'system',
  worktreeRoot: null,
  defaults: { mode: 'workspace', approval: 'on-request' },
  models: [{ id: 'demo', label: 'Demo model (offline)', kind: 'demo', source: 'built in' }],
};

export const START = Date.parse('2026-11-20T12:00:00Z');

export const turn = (change: Partial<Turn> = {}): Turn => ({
  id: ids.turn,
  threadId: ids.thread,
  number: 1,
  status: 'completed',
  startedAt: START,
  endedAt: START + 372_000,
  usage: { ...noUsage, cost: 0.84 },
  error: null,
  interruptedBy: null,
  treeBefore: null,
  treeAfter: null,
  ...change,
});

const given: { [T in ItemType]: Omit<ItemOf<T>, 'id' | 'threadId' | 'turnId' | 'startedAt' | 'endedAt' | 'type'> } = {
  userMessage: { text: 'Do it', via: 'prompt' },
  agentMessage: { text: 'Done.' },
  reasoning: { text: 'Thinking' },
  command: {
    command: 'npm test',
    cwd: '/w',
    status: 'completed',
    exitCode: 0,
    output: '',
    outputBytes: 0,
    sessionId: null,
    outside: false,
  },
  fileChange: { status: 'completed', changes: [], error: null },
  plan: { explanation: null, steps: [] },
  proposal: { title: '', text: '', steps: [], revision: 1, state: 'open' },
  toolCall: { name: 'mcp__x__y', arguments: '{}', status: 'completed', output: '' },
  approval: {
    approvalId: 'appr_000000000000' as ItemOf<'approval'>['approvalId'],
    subject: '',
    reason: '',
    decision: 'pending',
    scope: null,
    note: '',
  },
  denial: {
    denialId: 'deny_000000000000' as ItemOf<'denial'>['denialId'],
    kind: 'host',
    subject: 'example.com:443',
    command: 'curl https://example.com',
    detail: 'Not among the allowed hosts.',
    decision: 'open',
    scope: null,
  },
  question: { questionId: 'ques_000000000000' as ItemOf<'question'>['questionId'], text: '', answer: null },
  notice: { level: 'info', text: '', error: null },
};

let made = 0;
/** An item with everything that a test doesn't care about filled in. */
export function item<T extends ItemType>(type: T, change: Partial<ItemOf<T>> = {}): ItemOf<T> {
  const number = ++made;
  return {
    id: itemId(number),
    threadId: ids.thread,
    turnId: ids.turn,
    startedAt: START + number * 1000,
    endedAt: START + number * 1000 + 200,
    type,
    ...given[type],
    ...change,
  } as unknown as ItemOf<T>;
}

/** A board with one project, one task and its thread. */
export function board(change: { task?: Partial<Task>; workspace?: Partial<Workspace>; thread?: Partial<Thread> } = {}): Board {
  const task: Task = {
    id: ids.task,
    projectId: ids.project,
    title: 'Cache exchange rates per day',
    prompt: 'Cache them',
    base: { ref: 'main', kind: 'local' },
    mode: 'workspace',
    approval: 'on-request',
    model: 'demo',
    phase: 'active',
    phaseBefore: null,
    order: 0,
    dependsOn: [],
    origin: 'app',
    inPlace: false,
    attempt: ids.attempt,
    createdAt: START,
    updatedAt: START,
    waitingSince: START,
    diff: { files: 4, added: 214, removed: 36 },
    usage: { ...noUsage, cost: 0.84 },
    check: null,
    landing: null,
    seen: null,
    ...change.task,
  };
  const workspace: Workspace = {
    id: ids.workspace,
    taskId: ids.task,
    attemptId: ids.attempt,
    phase: 'ready',
    slug: 'cache-exchange-rates',
    branch: 'signalbox/cache-exchange-rates',
    path: '/home/me/.signalbox/worktrees/atlas/cache-exchange-rates',
    baseCommit: 'abc',
    error: null,
    trashedAt: null,
    ...change.workspace,
  };
  const thread: Thread = {
    id: ids.thread,
    taskId: ids.task,
    attemptId: ids.attempt,
    parent: null,
    turn: turn(),
    queue: [],
    limitedUntil: null,
    ...change.thread,
  };
  return {
    ...emptyBoard(settings),
    projects: {
      [ids.project]: {
        id: ids.project,
        name: 'atlas-web',
        root: '/src/atlas',
        repo: '/src/atlas',
        subdir: '',
        gitDir: '/src/atlas/.git',
        sample: false,
        openedAt: START,
      },
    },
    tasks: { [ids.task]: task },
    workspaces: { [ids.workspace]: workspace },
    threads: { [ids.thread]: thread },
    attempts: { [ids.attempt]: { id: ids.attempt, taskId: ids.task, number: 1, threadId: ids.thread, workspaceId: ids.workspace } },
  };
}

export const diffFile = (path: string, change: Partial<DiffFile> = {}): DiffFile => ({
  path,
  oldPath: null,
  status: 'modified',
  added: 1,
  removed: 1,
  binary: false,
  generated: false,
  oldBlob: 'a1',
  newBlob: 'b1',
  ...change,
});
