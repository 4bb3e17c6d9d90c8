import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { OpenWorkspace } from '../../agent-core/workspace/index.ts';
import { Random, sequence } from './mutations.ts';
import { git, put, World } from './world.ts';

/** No verb may take longer, whatever an agent did: generous, as the machine may be busy. */
const VERB_MS = 90_000;

/** Every file of the person's but objects and what is ours to write. */
function fingerprint(root: string): Record<string, string> {
  const found: Record<string, string> = {};
  const visit = (folder: string): void => {
    for (const name of readdirSync(folder)) {
      const path = join(folder, name);
      const at = relative(root, path);
      if (/^\.git\/(?:objects|worktrees|refs\/signalbox|(?:logs\/)?refs\/heads\/signalbox)(?:\/|$)/.test(at)) continue;
      const stat = lstatSync(path);
      if (stat.isDirectory()) visit(path);
      else found[at] = `${stat.mode} ${createHash('sha1').update(readFileSync(path)).digest('hex')}`;
    }
  };
  visit(root);
  return found;
}

async function within<T>(what: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not end within ${VERB_MS / 1000} seconds`)), VERB_MS);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** All that Signalbox does with a worktree. Each may fail in words, and may do nothing outside. */
function verbs(world: World, workspace: OpenWorkspace, seen: (text: string) => void): Record<string, () => Promise<unknown>> {
  const { id, path } = workspace.info;
  return {
    beginTurn: () => workspace.beginTurn(),
    checkpoint: () => workspace.checkpoint('x'),
    harvest: () => workspace.harvest(),
    diff: async () => {
      const { tree } = await workspace.checkpoint('y');
      const from = workspace.baseTree();
      const files = await workspace.diff(from, tree);
      const got = await workspace.patch({ from, to: tree, paths: files.slice(0, 200).map((file) => file.path), limit: 4 * 1024 * 1024 });
      seen(got.patch);
    },
    preview: () => workspace.landPreview(),
    uncommitted: () => workspace.uncommittedTree(),
    locate: () => world.workspaces.locate(path),
    read: async () => {
      for (const name of ['link', 'src/a.txt', 'swap/secret.txt', 'link/secret.txt', '.git', 'AGENTS.md', '.gitattributes', 'pipe'])
        await workspace.confined.files.read(name, 1024 * 1024).then(
          (content) => seen(content.toString('latin1')),
          () => {},
        );
    },
    trash: async () => {
      await world.workspaces.trash(id);
      await world.workspaces.restore(id);
    },
  };
}

const expected = (error: unknown): boolean => error instanceof Error && error.name === 'Failure';

/** One random life of a worktree. Throws with the steps when something outside was touched, read or run. */
export async function liveThrough(seed: number): Promise<string[]> {
  const random = new Random(seed ^ 0x5bd1e995);
  const world = new World();
  const told: string[] = [];
  const mark = join(world.dir, 'pwned');
  const out = join(world.dir, 'outside');
  put(out, { 'secret.txt': 'CANARY-outside\n' });
  const mustHold = (after: string): void => {
    if (existsSync(mark)) throw new Error(`${after}: code of the agent's ran outside`);
  };
  try {
    const before = [fingerprint(world.repo), fingerprint(out)];
    let workspace = await world.open();
    const { id, path } = workspace.info;
    const text: string[] = [];
    for (const { name, line } of sequence(seed, 3 + random.int(5))) {
      told.push(`agent: ${name}: ${line}`);
      const script = `W=${JSON.stringify(path)}; C=${JSON.stringify(join(world.repo, '.git'))}; A="$C/worktrees/${workspace.info.admin}"; set -- ${JSON.stringify(mark)}; ${line}`;
      await within(
        `the agent's ${name}`,
        workspace.machine
          .collect({ argv: ['/bin/sh', '-c', script], env: { OUT: out }, limit: 1024 * 1024, signal: AbortSignal.timeout(30_000) })
          .catch((error: unknown) => {
            if (!expected(error)) throw error;
          }),
      );
      mustHold(name);
      const all = verbs(world, workspace, (seen) => text.push(seen));
      for (const verb of [random.pick(Object.keys(all)), random.pick(Object.keys(all))]) {
        told.push(`us: ${verb}`);
        await within(verb, (all[verb] as () => Promise<unknown>)()).catch((error: unknown) => {
          if (!expected(error)) throw error;
          told.push(`    ${(error as Error).message.split('\n')[0]}`);
        });
        mustHold(verb);
        // The trash closed it; where it can't be opened again, what is left of this life is nothing.
        if (verb === 'trash') {
          const again = await within('open', world.workspaces.open(id)).catch((error: unknown) => {
            if (!expected(error)) throw error;
            return null;
          });
          if (!again) return told;
          workspace = again;
        }
      }
    }
    await within('closing', world.workspaces.dispose());
    mustHold('closing');
    if (text.some((each) => each.includes('CANARY-outside'))) throw new Error('a file outside the worktree was read');
    const after = [fingerprint(world.repo), fingerprint(out)];
    if (JSON.stringify(after) !== JSON.stringify(before))
      throw new Error(`files of the person's changed: ${JSON.stringify(after)} from ${JSON.stringify(before)}`);
    const refs = git(world.repo, 'for-each-ref', '--format=%(refname)').split('\n');
    const others = refs.filter((ref) => !/^refs\/(?:heads\/)?signalbox\//.test(ref));
    if (others.join() !== 'refs/heads/main') throw new Error(`refs of the person's changed: ${others.join()}`);
    return told;
  } catch (error) {
    throw new Error(`seed ${seed}: ${(error as Error).message}\n${told.join('\n')}`, { cause: error });
  } finally {
    await world.dispose().catch(() => {});
  }
}
