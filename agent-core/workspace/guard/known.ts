import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open, readlink, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { outside } from '../../git/runner.ts';
import type { Meta } from '../meta.ts';
import type { Present } from './scan.ts';

/** How long git may look through the base's history for one path. */
const HISTORY_MS = 20_000;
const HISTORY_BYTES = 8 * 1024 * 1024;

/** Names one content with its mode, as a tree of git names it. */
export function nameOf(mode: string, content: Buffer, algorithm: 'sha1' | 'sha256'): string {
  return `${mode} ${createHash(algorithm).update(`blob ${content.length}\0`).update(content).digest('hex')}`;
}

/** The content as it would be without the line ends that a checkout may have put in; null where that is the same. */
function unfolded(content: Buffer): Buffer | null {
  return content.includes('\r\n') && !content.includes(0)
    ? Buffer.from(content.toString('latin1').replaceAll('\r\n', '\n'), 'latin1')
    : null;
}

/** Which contents of guarded paths the base and its history have, so that git bringing them in is nothing new. */
export class Known {
  readonly #meta: Meta;
  #tree = '';
  /** By entry. */
  readonly #base = new Map<string, ReadonlyMap<string, string>>();
  /** By path: what its history has, and the tips for which that holds. */
  readonly #history = new Map<string, { tips: string; names: Set<string> }>();

  constructor(meta: Meta) {
    this.#meta = meta;
  }

  get #gitDir(): string {
    return this.#meta.project.gitDir;
  }

  /** What the base's tree has in an entry, by path: mode and object. */
  async base(tree: string, entry: string): Promise<ReadonlyMap<string, string>> {
    if (this.#tree !== tree) this.#base.clear();
    this.#tree = tree;
    const known = this.#base.get(entry);
    if (known) return known;
    const found = await this.several(tree, [{ path: entry }]);
    if (this.#tree === tree) this.#base.set(entry, found);
    return found;
  }

  /** The same of several entries at once. */
  async several(tree: string, entries: readonly { path: string }[]): Promise<ReadonlyMap<string, string>> {
    const paths = entries.map(({ path }) => path);
    const listed = await outside({ gitDir: this.#gitDir, args: ['ls-tree', '-r', '-z', '--full-tree', tree, '--', ...paths] });
    return new Map(
      listed.stdout
        .toString('utf8')
        .split('\0')
        .flatMap((line): [string, string][] => {
          const [, mode, oid, path] = /^(\d+) \w+ ([0-9a-f]+)\t([\s\S]+)$/.exec(line) ?? [];
          return mode && oid && path ? [[path, `${mode} ${oid}`]] : [];
        }),
    );
  }

  /** Content of an object of the base. */
  async read(name: string): Promise<Buffer> {
    return (await outside({ gitDir: this.#gitDir, args: ['cat-file', 'blob', name.slice(name.indexOf(' ') + 1)] })).stdout;
  }

  /** Whether the base's tree or its history has this content at this path. */
  async has(present: Present, base: ReadonlyMap<string, string>, algorithm: 'sha1' | 'sha256'): Promise<boolean> {
    const { path, mode, content } = present;
    if (content === null) return false;
    const plain = mode === '120000' ? null : unfolded(content);
    const names = [content, ...(plain ? [plain] : [])].map((each) => nameOf(mode, each, algorithm));
    const now = base.get(path);
    if (now !== undefined && names.includes(now)) return true;
    const past = await this.#past(path);
    return names.some((name) => past.has(name));
  }

  /** Whether the person's own checkout has the same file there now: copied in from it, for instance. */
  async isPersons({ path, mode, content }: Present): Promise<boolean> {
    const { repo } = this.#meta.project;
    // Where the task works in that very checkout, it says nothing about who wrote it.
    if (content === null || repo === this.#meta.path) return false;
    const own = join(repo, path);
    if (mode === '120000')
      return readlink(own).then(
        (target) => target === content.toString('utf8'),
        () => false,
      );
    try {
      if ((await realpath(own)).startsWith(`${this.#meta.path}/`)) return false;
      const file = await open(own, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      try {
        const info = await file.stat();
        if (!info.isFile() || info.size !== content.length || (info.mode & 0o100 ? '100755' : '100644') !== mode) return false;
        return (await file.readFile()).equals(content);
      } finally {
        await file.close();
      }
    } catch {
      return false;
    }
  }

  /** The commits whose history is the person's: the one the task began at, and its base as it is now, here and at the remote. */
  async #tips(): Promise<string[]> {
    const { base, baseCommit, branch } = this.#meta;
    const short = base.kind === 'remote' ? base.ref.slice(base.ref.indexOf('/') + 1) : base.ref;
    const listed = await outside({
      gitDir: this.#gitDir,
      args: ['for-each-ref', '--format=%(refname) %(objectname)', `refs/heads/${short}`, 'refs/remotes'],
      answers: [1, 128],
    });
    const tips = listed.stdout
      .toString('utf8')
      .split('\n')
      .map((line) => line.split(' ') as [string, string])
      .filter(([ref]) => ref !== branch && (ref === `refs/heads/${short}` || ref.replace(/^refs\/remotes\/[^/]+\//, '') === short))
      .map(([, oid]) => oid);
    return [...new Set([baseCommit, ...tips])];
  }

  async #past(path: string): Promise<Set<string>> {
    const tips = await this.#tips();
    const key = tips.join(' ');
    const before = this.#history.get(path);
    if (before?.tips === key) return before.names;
    const names = new Set<string>();
    try {
      const log = await outside({
        gitDir: this.#gitDir,
        args: [
          'log',
          '--format=',
          '--raw',
          '-z',
          '-m',
          '--no-abbrev',
          '--no-renames',
          '--full-history',
          ...tips,
          '--',
          `:(top,literal)${path}`,
        ],
        config: ['log.showRoot=true'],
        signal: AbortSignal.timeout(HISTORY_MS),
        limit: HISTORY_BYTES,
      });
      for (const [, mode, oid] of log.stdout.toString('utf8').matchAll(/:\d+ (\d+) [0-9a-f]+ ([0-9a-f]+) [A-Z]/g))
        names.add(`${mode} ${oid}`);
    } catch {
      // A history that can't be looked through in time stands for nothing: what is there is shown to the person.
    }
    this.#history.set(path, { tips: key, names });
    return names;
  }
}
