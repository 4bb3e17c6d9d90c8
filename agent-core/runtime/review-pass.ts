import { Failure, type DiffFile, type Finding, type Review, type Task, type ThreadId, type TurnId, type Usage } from '../contract/index.ts';
import { commitTrees, forkTree } from '../git/targets.ts';
import { createSessions, runTurn, type HistoryItem, type TurnHost, type TurnInput } from '../harness/index.ts';
import { linesShown, reviewIn, type ReviewAnswer } from '../harness/review/parse.ts';
import { JSON_ONLY, PATCH_BYTES, reviewWords } from '../harness/review/prompt.ts';
import { fileAt } from '../git/diff.ts';
import { newId } from '../support/ids.ts';
import type { OpenWorkspace } from '../workspace/index.ts';
import type { Context } from './context.ts';
import { readOnly } from './plan.ts';
import { look } from './turn.ts';

export interface Comparison {
  from: string;
  to: string;
  files: DiffFile[];
  /** What it is, as in “Review …”. */
  what: string;
}

/** The trees that a review compares. Throws `not-found` for a commit or branch that isn't there. */
export async function compare(open: OpenWorkspace, target: Review['target'], treeBefore: string | null): Promise<Comparison> {
  const { gitDir } = open.info.project;
  const tip = open.info.agreed?.tip ?? open.info.baseCommit;
  const now = async () => (await look(open, 'for a review')).tree;
  const trees = async (): Promise<{ from: string; to: string; what: string }> => {
    if (target.kind === 'commit')
      return { ...(await commitTrees(gitDir, target.ref, tip)), what: `the changes of the commit ${target.ref}` };
    const to = await now();
    if (target.kind === 'branch')
      return { from: await forkTree(gitDir, target.ref, tip), to, what: `the changes since the branch ${target.ref}` };
    if (target.kind === 'turn') return { from: treeBefore ?? open.baseTree(), to, what: 'the changes of the last turn' };
    return { from: open.baseTree(), to, what: 'the changes of this task' };
  };
  const found = await trees();
  return { ...found, files: await open.diff(found.from, found.to) };
}

/** Remembers the conversation of one pass; nothing of it is kept, and nobody is asked. */
function silentHost(history: HistoryItem[], spent: (usage: Usage) => void): TurnHost {
  const done = async (): Promise<void> => {};
  return {
    itemStarted: done,
    itemUpdated: done,
    itemCompleted: done,
    itemDelta: () => {},
    appendHistory: async (items) => void history.push(...items),
    replaceHistory: async (items) => void history.splice(0, history.length, ...items),
    spent,
    limited: () => {},
    approve: async () => ({ decision: 'declined', scope: 'once', note: 'a review only looks' }),
    ask: async () => ({}),
    takeSteering: () => [],
    runOutside: () => Promise.reject(new Failure('not-allowed', 'Nothing runs outside the sandbox in a review.')),
    ruleAllows: () => false,
    logOutput: () => {},
  };
}

export interface Pass {
  open: OpenWorkspace;
  task: Task;
  model: string;
  compared: Comparison;
  dismissed: readonly Finding[];
  signal: AbortSignal;
  spent: (usage: Usage) => void;
}

/** One model pass over a diff, in a conversation of its own, on a machine that it can't change. Throws the `Failure` that ended it. */
export async function reviewPass(context: Context, pass: Pass): Promise<{ findings: Finding[]; summary: string }> {
  const { open, task, compared, signal } = pass;
  const request = {
    from: compared.from,
    to: compared.to,
    paths: compared.files.filter((file) => !file.generated && !file.binary).map(({ path }) => path),
  };
  const shown = await open.patch({ ...request, limit: PATCH_BYTES });
  const history: HistoryItem[] = [];
  const sessions = createSessions();
  const input: Omit<TurnInput, 'messages' | 'history'> = {
    threadId: newId<ThreadId>('thr'),
    turnId: newId<TurnId>('turn'),
    model: await context.models.config({ model: pass.model }, context.endpoints.get(task.id)),
    kind: 'review',
    mode: 'read-only',
    approval: 'never',
    machine: readOnly(open.confined),
    cwd: open.cwd,
    home: context.options.home,
    signal,
  };
  const ask = async (text: string): Promise<ReviewAnswer | null> => {
    const outcome = await runTurn(
      { ...input, sessions, messages: [{ text, via: 'prompt' }], history: [...history] },
      silentHost(history, pass.spent),
    );
    if (outcome.status === 'failed') throw new Failure(outcome.error.code, outcome.error.message, outcome.error);
    signal.throwIfAborted();
    return reviewIn(outcome.message, open.info.path);
  };
  try {
    const words = reviewWords({ ...compared, ...shown, worktree: open.info.path, prompt: task.prompt, dismissed: pass.dismissed });
    const answer = (await ask(words)) ?? (await ask(JSON_ONLY));
    if (!answer)
      throw new Failure('model-bad-reply', 'The model gave no review that can be read.', { fix: 'Try again, or choose another model.' });
    return { summary: answer.summary, findings: await placed(open, compared, answer.findings, pass.dismissed) };
  } finally {
    await sessions.dispose();
  }
}

/** Each finding with where its lines are; what was dismissed before stays so. */
async function placed(
  open: OpenWorkspace,
  { from, to, files }: Comparison,
  found: ReviewAnswer['findings'],
  dismissed: readonly Finding[],
): Promise<Finding[]> {
  const named = [...new Set(found.map(({ path }) => path))].filter((path) => files.some((file) => file.path === path));
  const shown = named.length ? linesShown((await open.patch({ from, to, paths: named })).patch) : new Map<string, [number, number][]>();
  const known = new Set(dismissed.map(({ path, title }) => `${path}\0${title.toLowerCase()}`));
  return Promise.all(
    found.map(async (finding): Promise<Finding> => {
      const { path, line, endLine, title } = finding;
      const inDiff = line > 0 && shown.get(path)?.some(([start, end]) => line <= end && endLine >= start);
      const place = inDiff ? 'diff' : (await hasLine(open, to, path, line)) ? 'file' : 'nowhere';
      return { ...finding, place, state: known.has(`${path}\0${title.toLowerCase()}`) ? 'dismissed' : 'open' };
    }),
  );
}

async function hasLine(open: OpenWorkspace, tree: string, path: string, line: number): Promise<boolean> {
  if (!path || path.startsWith('/') || path.split('/').includes('..')) return false;
  const bytes = await fileAt(open.checkpoints, tree, path);
  return bytes !== null && line > 0 && line <= bytes.toString('utf8').split('\n').length;
}

/** The message by which findings are sent to the agent. */
export const fixWords = (findings: readonly Finding[], note: string): string =>
  `Mend what a review found:\n\n${findings
    .map(({ title, body, path, line, endLine }, index) => {
      const at = path && line ? ` (${path}:${line}${endLine > line ? `-${endLine}` : ''})` : path ? ` (${path})` : '';
      return `${index + 1}. ${title}${at}${body ? `\n${body.replaceAll(/^/gm, '   ')}` : ''}`;
    })
    .join(
      '\n',
    )}\n\nLook at each first: where one is mistaken, say why and leave the code as it is.${note.trim() ? `\n\n${note.trim()}` : ''}`;
