import {
  emptyBoard,
  noUsage,
  type Activity,
  type Approval,
  type Board,
  type Check,
  type Project,
  type Question,
  type SandboxStatus,
  type Settings,
  type Snapshot,
  type Task,
  type Thread,
  type Turn,
  type Workspace,
} from '../../../agent-core/contract/index.ts';

/** A board as a working day leaves it: the pictures' own tasks, so that a screenshot can be held beside them. */
export const MINUTE = 60_000;

let counter = 0;
const makeId = <T>(prefix: string): T => `${prefix}_${String(++counter).padStart(12, '0')}` as T;

export const settings: Settings = {
  baseUrl: '',
  model: 'gpt-5-codex',
  hasKey: true,
  wire: 'responses',
  keySource: 'environment',
  concurrency: 12,
  theme: 'system',
  worktreeRoot: null,
  defaults: { mode: 'workspace', approval: 'on-request' },
  models: [
    { id: 'gpt-5-codex', label: 'gpt-5-codex', kind: 'remote', source: 'key in OPENAI_API_KEY' },
    { id: 'demo', label: 'Demo model (offline)', kind: 'demo', source: 'offline, scripted, free' },
  ],
};

const probe = (name: string, kind: 'denies' | 'works') => ({ name, ok: true, kind, detail: '', fix: null });
export const sandbox: SandboxStatus = {
  state: 'confined',
  driver: 'bubblewrap 0.11 with seccomp',
  ms: 800,
  probes: [
    probe('Can’t read your home folder, keys or keyrings', 'denies'),
    probe('Can’t write outside its own worktree', 'denies'),
    probe('Can’t see another task’s files or processes', 'denies'),
    probe('Can’t reach the network unless you allow a host', 'denies'),
    probe('Can’t gain rights or change its own sandbox', 'denies'),
    probe('Can commit, branch and rebase with git', 'works'),
    probe('Can build with Node 24.1, pnpm 10 and Rust 1.91', 'works'),
    probe('Can open terminals and temporary files', 'works'),
  ],
};

export const host: Snapshot['host'] = {
  kind: 'test',
  home: '/home/ada/.local/share/signalbox',
  user: 'ada',
  platform: 'linux',
  version: '0.1.0',
  openOn: null,
};

export function project(name: string, openedAt: number): Project {
  const root = `/home/ada/code/${name}`;
  return { id: makeId('proj'), name, root, repo: root, subdir: '', gitDir: `${root}/.git`, sample: false, openedAt };
}

export interface Spec {
  title: string;
  project: Project;
  minutes: number;
  status: 'approval' | 'question' | 'failed' | 'queued' | 'limited' | 'working' | 'review' | 'done' | 'trashed';
  lines?: [number, number];
  cost?: number;
  check?: [passed: boolean, summary: string];
  mode?: Task['mode'];
  activity?: Omit<Activity, 'since' | 'progress'> & { seconds: number };
  dependsOn?: Task['id'][];
  attempts?: number;
  more?: Partial<Task>;
}

export interface Fixture {
  board: Board;
  activity: Record<string, Activity>;
}

export const emptyFixture = (): Fixture => ({ board: emptyBoard(settings), activity: {} });

const usage = (cost: number | undefined) => ({ ...noUsage, cost: cost ?? null });

function addAttempt({ board }: Fixture, task: Task, spec: Spec, number: number, started: number): void {
  const [attemptId, threadId, workspaceId] = [
    makeId<Thread['attemptId']>('att'),
    makeId<Thread['id']>('thr'),
    makeId<Workspace['id']>('ws'),
  ];
  const status =
    { working: 'running', approval: 'running', question: 'running', failed: 'failed', limited: 'interrupted' }[spec.status as string] ??
    'completed';
  const turn: Turn = {
    id: makeId('turn'),
    threadId,
    number: 1,
    status: status as Turn['status'],
    startedAt: started,
    endedAt: status === 'running' ? null : started + MINUTE,
    usage: usage(spec.cost),
    error: spec.status === 'failed' ? { code: 'internal', message: 'Stopped after three attempts at posting::reversal.' } : null,
    interruptedBy: status === 'interrupted' ? 'person' : null,
    treeBefore: null,
    treeAfter: null,
  };
  const slug = task.title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 40)
    .replace(/-$/, '');
  board.attempts[attemptId] = { id: attemptId, taskId: task.id, number, threadId, workspaceId };
  board.threads[threadId] = {
    id: threadId,
    taskId: task.id,
    attemptId,
    parent: null,
    turn,
    queue: [],
    limitedUntil: spec.status === 'limited' ? started + 3 * 60 * MINUTE : null,
  };
  board.workspaces[workspaceId] = {
    id: workspaceId,
    taskId: task.id,
    attemptId,
    phase: 'ready',
    slug,
    branch: `signalbox/${slug}`,
    path: `/home/ada/.local/share/signalbox/worktrees/${spec.project.name}/${slug}`,
    baseCommit: null,
    error: null,
    trashedAt: null,
  };
  task.attempt = attemptId;
}

/** Adds one task in the state that `status` names, made of true records. */
export function addTask(fixture: Fixture, spec: Spec, now: number): Task {
  const { board } = fixture;
  board.projects[spec.project.id] = spec.project;
  const at = now - spec.minutes * MINUTE;
  const waits = ['approval', 'question', 'failed', 'review'].includes(spec.status);
  const check: Check | null = spec.check
    ? { itemId: makeId('item'), command: 'pnpm test', passed: spec.check[0], summary: spec.check[1], at, stale: false }
    : null;
  const task: Task = {
    id: makeId('task'),
    projectId: spec.project.id,
    title: spec.title,
    prompt: spec.title,
    base: { ref: 'main', kind: 'local' },
    mode: spec.mode ?? 'workspace',
    approval: 'on-request',
    model: 'gpt-5-codex',
    phase: spec.status === 'done' ? 'archived' : spec.status === 'queued' ? 'queued' : spec.status === 'trashed' ? 'trashed' : 'active',
    phaseBefore: spec.status === 'trashed' ? 'active' : null,
    order: counter,
    dependsOn: spec.dependsOn ?? [],
    origin: 'app',
    inPlace: false,
    attempt: null,
    createdAt: at,
    updatedAt: at,
    waitingSince: waits ? at : null,
    diff: spec.lines ? { files: 4, added: spec.lines[0], removed: spec.lines[1] } : null,
    usage: usage(spec.cost),
    check,
    landing: spec.status === 'done' ? { method: 'merge', into: 'main', commit: 'a'.repeat(40), at } : null,
    seen: null,
    ...spec.more,
  };
  board.tasks[task.id] = task;
  if (spec.status !== 'queued') for (let number = 1; number <= (spec.attempts ?? 1); number++) addAttempt(fixture, task, spec, number, at);
  if (spec.activity)
    fixture.activity[task.id] = {
      verb: spec.activity.verb,
      subject: spec.activity.subject,
      since: now - spec.activity.seconds * 1000,
      progress: null,
    };
  return task;
}

export function addApproval({ board }: Fixture, task: Task, more: Partial<Approval> & { subject: string }): Approval {
  const thread = Object.values(board.threads).find(({ taskId }) => taskId === task.id)!;
  const approval: Approval = {
    id: makeId('appr'),
    taskId: task.id,
    threadId: thread.id,
    itemId: makeId('item'),
    kind: 'escalate',
    argv: more.subject.split(' '),
    cwd: Object.values(board.workspaces).find(({ taskId }) => taskId === task.id)!.path,
    reason: '',
    effect: 'Runs this command outside the sandbox, once.',
    prefix: null,
    at: task.waitingSince ?? task.createdAt,
    ...more,
  };
  board.approvals[approval.id] = approval;
  return approval;
}

export function addQuestion({ board }: Fixture, task: Task, text: string, options: string[]): Question {
  const thread = Object.values(board.threads).find(({ taskId }) => taskId === task.id)!;
  const question: Question = {
    id: makeId('ques'),
    taskId: task.id,
    threadId: thread.id,
    itemId: makeId('item'),
    at: task.waitingSince ?? task.createdAt,
    questions: [{ id: 'q1', header: 'Zone', question: text, options: options.map((label) => ({ label, description: '' })) }],
  };
  board.questions[question.id] = question;
  return question;
}
