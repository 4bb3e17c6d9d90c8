/** What git costs a task: its worktree made, against `git worktree add` by hand, and the edges of a turn. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Project, ProjectId, WorkspaceId } from '../agent-core/contract/index.ts';
import { inspectFolder } from '../agent-core/git/repository.ts';
import { createSandbox } from '../agent-core/sandbox/index.ts';
import { newId } from '../agent-core/support/ids.ts';
import { Workspaces, type OpenWorkspace } from '../agent-core/workspace/index.ts';
import { git, makeRepository } from '../test/runtime/support.ts';
import { ended } from './by-hand.ts';
import { median, ms, ratio, report, scratch, time, times } from './lib.ts';

const FILES = 3000;
const folder = scratch();
const home = join(folder, 'home');
const workspaces = new Workspaces({
  home,
  sandbox: createSandbox({ stateDir: join(home, 'sandbox'), env: process.env }),
  worktreeRoot: () => join(home, 'worktrees'),
});

async function projectOf(repo: string): Promise<Project> {
  const { gitDir } = await inspectFolder(repo);
  return { id: newId<ProjectId>('proj'), name: 'bench', root: repo, repo, subdir: '', gitDir, sample: false, openedAt: 1 };
}

/** A repository of a size that people work in: 3,000 files of about 4 KB. */
function mediumRepository(): string {
  const repo = makeRepository(join(folder, 'medium'));
  for (let n = 0; n < FILES; n++) {
    const path = join(repo, 'src', `part-${n % 60}`, `file-${n}.ts`);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `// File ${n}\n${`export const value${n} = ${n * 7919};\n`.repeat(120)}`);
  }
  git(repo, 'add', '-A');
  git(repo, 'commit', '-qm', 'Many files');
  git(repo, 'gc', '-q');
  return repo;
}

function prepare(project: Project): Promise<WorkspaceId> {
  const workspaceId = newId<WorkspaceId>('ws');
  return workspaces
    .prepare({ workspaceId, project, title: 'Bench', base: { ref: 'main', kind: 'local' }, mode: 'workspace' })
    .then(() => workspaceId);
}

async function worktreeReady(rounds: number): Promise<void> {
  const repo = mediumRepository();
  const project = await projectOf(repo);
  const hand = join(folder, 'by-hand');
  const measured = { hand: [] as number[], ours: [] as number[] };
  for (let round = -1; round < rounds; round++) {
    const byHand = await time(() => ended('git', ['-C', repo, 'worktree', 'add', '--quiet', '-b', 'by-hand', hand, 'main']));
    git(repo, 'worktree', 'remove', '--force', hand);
    git(repo, 'branch', '-qD', 'by-hand');
    let made: WorkspaceId | null = null;
    const ours = await time(async () => {
      made = await prepare(project);
    });
    await workspaces.purge(made!);
    if (round < 0) continue;
    measured.hand.push(byHand);
    measured.ours.push(ours);
  }
  const by = ratio(measured.ours, measured.hand);
  report({
    what: `a task’s worktree ready, ${FILES} files (store, sandbox and checkpoint index included)`,
    value: `${times(by)} (${ms(median(measured.ours))})`,
    baseline: `git worktree add ${ms(median(measured.hand))}`,
    budget: '≤ 1.2 ×',
    ok: by <= 1.2,
  });
}

/** As the runtime does them at the end of a turn: side by side. */
const edges = (open: OpenWorkspace, label: string): Promise<unknown> => Promise.all([open.checkpoint(label), open.harvest()]);

async function turnEdges(rounds: number): Promise<void> {
  const repo = makeRepository(join(folder, 'small'));
  const open = await workspaces.open(await prepare(await projectOf(repo)));
  const inside = (text: string) => open.machine.collect({ argv: ['/bin/sh', '-c', text] });
  const bare = makeRepository(join(folder, 'bare'));
  const measured = { hand: [] as number[], edited: [] as number[], committed: [] as number[], nothing: [] as number[] };
  for (let round = -1; round < rounds; round++) {
    writeFileSync(join(bare, 'a.txt'), `by hand ${round}\n`);
    const hand = await time(async () => {
      await ended('git', ['-C', bare, 'add', '--all']);
      await ended('git', ['-C', bare, 'write-tree']);
    });
    await inside(`echo edited ${round} > a.txt`);
    const edited = await time(() => edges(open, 'edited'));
    await inside(`echo committed ${round} > a.txt; git commit -qam Work`);
    const committed = await time(() => edges(open, 'committed'));
    const nothing = await time(() => edges(open, 'nothing'));
    if (round < 0) continue;
    for (const [name, value] of Object.entries({ hand, edited, committed, nothing })) measured[name as 'hand'].push(value);
  }
  const worst = median(measured.committed);
  report({
    what: 'a turn’s edge (checkpoint and harvest) in a small repository, after a commit',
    value: ms(worst),
    baseline: `after an edit ${ms(median(measured.edited))}, after nothing ${ms(median(measured.nothing))}; bare git add and write-tree ${ms(median(measured.hand))}`,
    budget: '≤ 60 ms',
    ok: worst <= 60,
  });
}

await worktreeReady(7);
await turnEdges(15);
await workspaces.dispose();
