import type { DomainEvent, EvidenceMark, Item, ItemOf, TaskId, Turn } from '../contract/index.ts';
import { checkKinds, summaryOf, verdictOf } from '../domain/checks.ts';
import { citationsOf, type Citation } from '../domain/evidence.ts';
import { fileAt, filesEnding } from '../git/diff.ts';
import type { OpenWorkspace } from '../workspace/index.ts';
import type { Context } from './context.ts';

type Command = ItemOf<'command'>;
type Judged = Pick<EvidenceMark, 'state' | 'itemId' | 'path' | 'line' | 'endLine' | 'label' | 'words'>;

/** No more of a thread's past is searched for what a message cites. */
const MAX_TURNS = 200;

/** What a thread and a tree say, read once for all that one message cites. */
class Thread {
  readonly #context: Context;
  readonly #open: OpenWorkspace;
  readonly #turn: Turn;
  readonly #tree: string;
  #items: Item[] | null = null;
  readonly #changed = new Map<string, Promise<boolean>>();

  constructor(context: Context, open: OpenWorkspace, turn: Turn, tree: string) {
    this.#context = context;
    this.#open = open;
    this.#turn = turn;
    this.#tree = tree;
  }

  get items(): Item[] {
    this.#items ??= this.#context.store
      .turns(this.#turn.threadId)
      .slice(-MAX_TURNS)
      .flatMap(({ id }) => this.#context.store.itemsOfTurn(id));
    return this.#items;
  }

  get commands(): Command[] {
    return this.items.filter((item) => item.type === 'command');
  }

  /** Whether tracked content is another than when this command started. True where that can't be told. */
  changedSince(item: Command): Promise<boolean> {
    const known = this.#changed.get(item.id);
    if (known) return known;
    const asked = changedSince(this.#open, item, this.#tree, () => editsSince(this.items, item)).catch((error: unknown) => {
      this.#context.log('comparing trees', error);
      return true;
    });
    this.#changed.set(item.id, asked);
    return asked;
  }

  /** The file as cited, or the only one whose path ends so; with its number of lines. */
  async lines(path: string): Promise<{ path: string; lines: number } | null> {
    const { checkpoints, info } = this.#open;
    const top = path.startsWith(`${info.path}/`) ? path.slice(info.path.length + 1) : path;
    const tries = info.project.subdir ? [top, `${info.project.subdir}/${top}`] : [top];
    for (const each of tries) {
      if (each.startsWith('/') || each.split('/').includes('..')) continue;
      const bytes = await fileAt(checkpoints, this.#tree, each);
      if (bytes) return { path: each, lines: linesOf(bytes) };
    }
    const [only, ...more] = await filesEnding(checkpoints, this.#tree, top);
    const bytes = only && !more.length ? await fileAt(checkpoints, this.#tree, only) : null;
    return bytes ? { path: only!, lines: linesOf(bytes) } : null;
  }
}

function linesOf(bytes: Buffer): number {
  let lines = 0;
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) lines += 1;
  return bytes.length && bytes.at(-1) !== 10 ? lines + 1 : lines;
}

/** Paths that the agent's patches touched after a command had started. */
const editsSince = (items: readonly Item[], { startedAt }: Command): Set<string> =>
  new Set(
    items.flatMap((item) =>
      item.type === 'fileChange' && (item.endedAt ?? Infinity) > startedAt
        ? item.changes.flatMap(({ path, movedTo }) => (movedTo ? [path, movedTo] : [path]))
        : [],
    ),
  );

/**
 * Whether content differs between the start of a command and a tree. What only the run itself wrote, and git doesn't
 * follow (a report, coverage), is no change; a tracked file that it wrote is.
 */
async function changedSince(open: OpenWorkspace, { trees }: Command, tree: string, edited: () => ReadonlySet<string>): Promise<boolean> {
  if (!trees) return true;
  const changed = await open.diff(trees.before, tree);
  if (!changed.length) return false;
  if (!trees.after) return true;
  const [since, base] = await Promise.all([open.diff(trees.after, tree), open.diff(open.baseTree(), tree)]);
  const later = new Set(since.flatMap(({ path, oldPath }) => [path, oldPath]));
  const untracked = new Set(base.filter(({ status }) => status === 'added').map(({ path }) => path));
  const { subdir } = open.info.project;
  const edits = new Set([...edited()].flatMap((path) => (subdir ? [path, `${subdir}/${path}`] : [path])));
  return changed.some(({ path, oldPath }) => oldPath !== null || later.has(path) || !untracked.has(path) || edits.has(path));
}

const nameOf = ({ command }: Command): string => {
  const line = command.trim().split('\n')[0]!;
  return line.length > 40 ? `${line.slice(0, 39)}…` : line;
};
const none = { itemId: null, path: null, line: null, endLine: null };

async function judgeRun(run: Command, thread: Thread, claims: boolean): Promise<Judged> {
  const label = nameOf(run);
  const base = { ...none, itemId: run.id, label };
  if (run.status === 'declined' || (run.exitCode === null && run.endedAt !== null && run.status !== 'running'))
    return { ...base, state: 'missing', words: `${label} did not run.` };
  const ended = run.exitCode === null ? 'It is still running.' : `It ended with exit code ${run.exitCode}.`;
  const summary = summaryOf(run.output);
  const words = `${ended}${summary ? ` ${summary}.` : ''}`;
  if (!claims) return { ...base, state: 'backed', words };
  const verdict = verdictOf(run) ?? (run.exitCode === 0 ? 'passed' : 'failed');
  if (verdict === 'unclear') return { ...base, state: 'missing', words: `${ended} Whether the check itself passed can’t be told from it.` };
  if (verdict === 'failed') return { ...base, state: 'contradicted', words };
  if (await thread.changedSince(run)) return { ...base, state: 'stale', words: `${words} Files changed after it had started.` };
  return { ...base, state: 'backed', words: `${words} Nothing changed since it started.` };
}

async function judgeFile(cited: Extract<Citation, { kind: 'file' }>, thread: Thread): Promise<Judged> {
  const { line, endLine } = cited;
  const range = endLine > line ? `${line}-${endLine}` : `${line}`;
  const found = await thread.lines(cited.path);
  const place = { ...none, path: found?.path ?? null, line, endLine, label: `${cited.path}:${range}` };
  if (!found) return { ...place, state: 'missing', words: 'There is no such file in the worktree.' };
  if (line < 1 || endLine < line || endLine > found.lines)
    return { ...place, state: 'missing', words: `The file has ${found.lines} lines.` };
  return { ...place, state: 'backed', words: `${found.path}, ${endLine > line ? `lines ${line} to ${endLine}` : `line ${line}`}` };
}

function judge(cited: Citation, thread: Thread): Promise<Judged> {
  if (cited.kind === 'file') return judgeFile(cited, thread);
  if (cited.kind === 'command') {
    const run = thread.commands.findLast(({ chunks }) => chunks?.includes(cited.chunk));
    const words = 'No command in this conversation has that number.';
    return run ? judgeRun(run, thread, cited.claims) : Promise.resolve({ ...none, state: 'missing', label: `cmd:${cited.chunk}`, words });
  }
  // The newest run that tells: an older pass says nothing once a newer one failed.
  const run = thread.commands.findLast(
    (each) =>
      (each.exitCode !== null || each.status === 'running') &&
      (cited.command ? each.command.includes(cited.command) : checkKinds(each.command).some((kind) => cited.about.includes(kind))) &&
      verdictOf(each) !== 'unclear',
  );
  const words = 'No command in this conversation shows it.';
  return run ? judgeRun(run, thread, true) : Promise.resolve({ ...none, state: 'missing', label: '', words });
}

/** The turn's last message again, with what the thread and the tree at the turn's end say about each citation and claim. */
export async function evidenceEvents(
  context: Context,
  taskId: TaskId,
  open: OpenWorkspace,
  turn: Turn,
  tree: string,
): Promise<DomainEvent[]> {
  if (turn.kind === 'plan') return [];
  const item = context.store.itemsOfTurn(turn.id).findLast((each): each is ItemOf<'agentMessage'> => each.type === 'agentMessage');
  const cited = item ? citationsOf(item.text) : [];
  if (!item || !cited.length) return [];
  const thread = new Thread(context, open, turn, tree);
  const evidence = await Promise.all(
    cited.map(async ({ at, length, kind, ...rest }): Promise<EvidenceMark> => ({
      at,
      length,
      kind,
      ...(await judge({ at, length, kind, ...rest } as Citation, thread)),
    })),
  );
  return [{ type: 'item.updated', taskId, item: { ...item, evidence } }];
}

/** Whether a task's newest check still holds for this tree, as an event where that changed. */
export async function checkEvents(context: Context, taskId: TaskId, open: OpenWorkspace, tree: string): Promise<DomainEvent[]> {
  const check = context.store.board.tasks[taskId]?.check;
  const run = check && context.store.item(check.itemId);
  if (!check || run?.type !== 'command') return [];
  const edits = (): Set<string> => {
    const turns = context.store.turns(run.threadId);
    const from = turns.findIndex(({ id }) => id === run.turnId);
    const items = turns.slice(Math.max(0, from)).flatMap(({ id }) => context.store.itemsOfTurn(id));
    return editsSince(items, run);
  };
  const stale = await changedSince(open, run, tree, edits).catch(() => true);
  // Another check may have ended meanwhile.
  const now = context.store.board.tasks[taskId]?.check;
  return now?.itemId === check.itemId && now.stale !== stale ? [{ type: 'task.checked', taskId, check: { ...now, stale } }] : [];
}
