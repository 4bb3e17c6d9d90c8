import { randomUUID } from 'node:crypto';
import { access, readlink } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { Failure } from '../../contract/errors.ts';
import { outside } from '../../git/runner.ts';
import { isCode } from '../../git/store-files.ts';
import { openDoor } from '../../sandbox/door.ts';
import type { WorktreeFiles } from '../../sandbox/types.ts';
import { Lock } from '../lock.ts';
import type { Meta, Places } from '../meta.ts';
import { asidePlaces, bringBack, dropAside, namesAside, putBase, takeAside } from './aside.ts';
import { Known, nameOf } from './known.ts';
import { endless, guardedFolders, hostRun } from './names.ts';
import { readRecord, writeRecord, type Aside, type Record } from './record.ts';
import { contentsOf, entriesOf, Stamps, type Entry, type Present } from './scan.ts';

export type { Aside } from './record.ts';
export { hostRun } from './names.ts';

export interface GuardOptions {
  places: Places;
  meta: Meta;
  files: WorktreeFiles;
  /** The tree that the task's work is compared with, as far as is known; `freshBase` looks where the branch is now. */
  baseTree: () => string;
  freshBase: () => Promise<string>;
  /** Told of each thing that was set aside; it is told again until this resolves. Absent where nobody listens. */
  report?: (aside: Aside) => Promise<void>;
  /** Paths, or folders, in which the person lets anything stand; none when absent. */
  allowed?: () => readonly string[];
}

/** So many are set aside one by one in one look; of a kind whose names have no end the others are set aside together. */
const MOST_SINGLE = 20;
const MOST_TOGETHER = 1000;

const under = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`);
/** Words for an agent, which a link may well lead to. */
const words = /(^|\/)(AGENTS|CLAUDE|GEMINI|README)(\.\w+)?\.md$/i;

/**
 * Keeps files that programs of the person run by themselves as the base has them, or as the person let them in. What an
 * agent put there is looked for after each command, taken out of the worktree and kept; the base's version comes back.
 */
export class Guard {
  readonly #options: GuardOptions;
  readonly #known: Known;
  readonly #stamps = new Stamps();
  readonly #lock = new Lock();
  readonly #algorithm: 'sha1' | 'sha256';
  #record: Record | null = null;
  #allowedThen = '';
  #more: Promise<ReadonlyMap<string, string>> | null = null;
  /** The base's tree as this look found it out. */
  #fresh: Promise<string> | null = null;

  constructor(options: GuardOptions) {
    this.#options = options;
    this.#known = new Known(options.meta);
    this.#algorithm = options.meta.baseCommit.length === 64 ? 'sha256' : 'sha1';
  }

  get #worktree(): string {
    return this.#options.meta.path;
  }

  async #load(): Promise<Record> {
    if (this.#record) return this.#record;
    const { places, meta } = this.#options;
    const found = await readRecord(places, meta.id);
    this.#record = found ?? { version: 1, asides: [], once: [], allowed: [] };
    await this.#finish(this.#record);
    // In a folder that Signalbox did not make, what is there before anything ran is the person's.
    if (found === null && meta.kind !== 'worktree') await this.#trust(this.#record);
    return this.#record;
  }

  /** What a crash cut off while it was being taken out. */
  async #finish(record: Record): Promise<void> {
    const { places, meta } = this.#options;
    for (const aside of record.asides.filter(({ told }) => !told)) {
      const tries = asidePlaces(places, meta).map((folder) => join(folder, aside.id));
      const at = await Promise.all(
        tries.map((place) =>
          access(place).then(
            () => place,
            () => null,
          ),
        ),
      );
      const place = at.find((found) => found !== null);
      if (!place) record.asides = record.asides.filter((each) => each !== aside);
      else Object.assign(aside, { place, names: await namesAside(place, aside.entry, this.#algorithm) });
    }
  }

  async #save(): Promise<void> {
    const { places, meta } = this.#options;
    await writeRecord(places, meta.id, await this.#load());
  }

  /** To be called before anything runs in a folder that Signalbox did not make. */
  begin(): Promise<void> {
    return this.#lock.run(async () => {
      await this.#load();
    });
  }

  /** What is there now is the person's: for a moment in which nothing runs, and nobody else has written. */
  trustPresent(): Promise<void> {
    return this.#lock.run(async () => this.#trust(await this.#load()));
  }

  async #trust(record: Record): Promise<void> {
    const once = new Set(record.once);
    for (const { path } of await this.#entries()) {
      const contents = await contentsOf(this.#options.files, this.#worktree, path);
      if (contents === null) record.allowed.push(path);
      else for (const file of contents.found) if (file.content) once.add(this.#key(file.path, file.mode, file.content));
    }
    if (once.size > record.once.length) {
      record.once = [...once];
      await writeRecord(this.#options.places, this.#options.meta.id, record);
    }
  }

  #key(path: string, mode: string, content: Buffer): string {
    return `${path}\0${nameOf(mode, content, this.#algorithm)}`;
  }

  /**
   * Looks now; returns what it took out. `command` is what ran before, as far as can be told. With `thorough` everything
   * is read again, even what shows no sign of change.
   */
  check(command: string, thorough = false): Promise<Aside[]> {
    return this.#lock.run(async () => {
      const record = await this.#load();
      const allowed = this.#allowed(record).join('\0');
      if (thorough || allowed !== this.#allowedThen) this.#stamps.forget();
      this.#allowedThen = allowed;
      const taken: Aside[] = [];
      // Names without end last: there may be thousands, and they must hide none of the others.
      const queue = (await this.#entries()).toSorted((a, b) => Number(endless(a.path)) - Number(endless(b.path)));
      this.#fresh = null;
      const seen = new Set<string>();
      for (let entry = queue.shift(); entry !== undefined && seen.size < 500; entry = queue.shift()) {
        if (seen.has(entry.path) || this.#stamps.same(this.#worktree, entry.path)) continue;
        if (taken.length >= MOST_SINGLE && endless(entry.path)) {
          const more = [entry, ...queue.splice(0)].filter(({ path }) => endless(path) && !seen.has(path));
          while (more.length) taken.push(...(await this.#together(more.splice(0, MOST_TOGETHER), command, record)));
          break;
        }
        seen.add(entry.path);
        const aside = await this.#look(entry, command, record, queue);
        if (aside) taken.push(aside);
      }
      await this.#tell(record);
      return taken;
    });
  }

  #allowed(record: Record): string[] {
    return [...record.allowed, ...(this.#options.allowed?.() ?? [])];
  }

  async #tell(record: Record): Promise<void> {
    const { report } = this.#options;
    if (!report) return;
    for (const aside of record.asides.filter(({ told }) => !told)) {
      await report(aside);
      aside.told = true;
      await this.#save();
    }
  }

  async #entries(): Promise<Entry[]> {
    const { subdir } = this.#options.meta.project;
    return entriesOf(this.#worktree, guardedFolders(subdir), await (this.#more ??= this.#hooks()));
  }

  /** A folder of the worktree that the person's git takes hooks from. */
  async #hooks(): Promise<ReadonlyMap<string, string>> {
    const { gitDir } = this.#options.meta.project;
    const asked = ['--local', '--global'].map((where) =>
      outside({ gitDir, args: ['config', where, '--get', 'core.hooksPath'], answers: [1, 128], personal: true }).catch(() => null),
    );
    const found = (await Promise.all(asked)).map((result) => (result?.code === 0 ? result.stdout.toString('utf8').trim() : ''));
    const paths = found
      .map((path) => posix.normalize(path.startsWith(`${this.#worktree}/`) ? path.slice(this.#worktree.length + 1) : path))
      .filter((path) => path !== '.' && !path.startsWith('/') && !path.startsWith('..') && !path.startsWith('~') && !under(path, '.git'));
    return new Map(paths.map((path) => [path.replace(/\/+$/, ''), 'git runs the hooks in it']));
  }

  /** Looks through one entry, and takes out of it what nobody let in. Where its good links lead is added to `queue`. */
  async #look(entry: Entry & { linked?: boolean; way?: boolean }, command: string, record: Record, queue: Entry[]): Promise<Aside | null> {
    if (this.#allowed(record).some((allowed) => under(entry.path, allowed))) return null;
    const keep = this.#stamps.begin(this.#worktree, entry.path);
    const contents = await contentsOf(this.#options.files, this.#worktree, entry.path).catch(async (error: unknown) => {
      if (!(error instanceof Failure) && !isCode(error, 'EACCES', 'EPERM', 'ELOOP', 'ENAMETOOLONG')) throw error;
      // A folder on the way to it may have become a link that leads out: then that link is looked at.
      const link = await this.#linkTo(entry.path);
      if (link !== null) queue.push({ path: link, why: entry.why, way: true } as Entry);
      return undefined;
    });
    if (contents === undefined) return null;
    // A link of the base's may lead to more than is looked through: sources, for instance.
    if (contents === null && entry.linked) return null;
    let base = await this.#known.base(this.#options.baseTree(), entry.path);
    const bad: Present[] = [];
    for (const present of contents?.found ?? []) {
      if (await this.#good(present, base, record)) this.#follow(present, entry, queue);
      else bad.push(present);
    }
    if (contents !== null && bad.length === 0) {
      keep(contents);
      return null;
    }
    // What is put back is the version of the base that the branch stands on by now: it may just have been rebased.
    base = await this.#known.base(await (this.#fresh ??= this.#options.freshBase()), entry.path);
    if (entry.way) base = new Map([...base].filter(([path]) => path === entry.path));
    const inTheWay = [...base.keys()].some((path) => bad.some((file) => file.path !== path && under(file.path, path)));
    const whole = contents === null || inTheWay || (bad.length === contents.found.length && base.size === 0 && !entry.linked);
    return this.#setAside(entry, whole ? null : bad.map(({ path }) => path), base, command, record);
  }

  /** The first part of a path that is a link; null where none is. */
  async #linkTo(path: string): Promise<string | null> {
    const parts = path.split('/');
    for (let at = 1; at < parts.length; at++) {
      const part = parts.slice(0, at).join('/');
      const info = await this.#options.files.stat(part).catch(() => null);
      if (info?.kind === 'symlink') return part;
    }
    return null;
  }

  /** Sets many aside as one; what the base has of them stays. */
  async #together(entries: readonly Entry[], command: string, record: Record): Promise<Aside[]> {
    const allowed = this.#allowed(record);
    const wanted = entries.filter(({ path }) => !allowed.some((one) => under(path, one)));
    const base = await this.#known.several(await (this.#fresh ??= this.#options.freshBase()), wanted);
    const paths = wanted.flatMap(({ path }) => ([...base.keys()].some((file) => under(file, path)) ? [] : [path]));
    const entry = { path: '', why: entries[0]!.why };
    const aside = paths.length ? await this.#setAside(entry, paths, new Map(), command, record) : null;
    return aside ? [aside] : [];
  }

  async #good(present: Present, base: ReadonlyMap<string, string>, record: Record): Promise<boolean> {
    const { path, mode, content } = present;
    if (this.#allowed(record).some((allowed) => under(path, allowed))) return true;
    if (content === null) return false;
    const key = this.#key(path, mode, content);
    if (record.once.includes(key)) return true;
    if (await this.#known.has(present, base, this.#algorithm)) return true;
    if (!(await this.#known.isPersons(present))) return false;
    // It stays theirs here when they change their own later.
    record.once.push(key);
    await this.#save();
    return true;
  }

  #follow({ path, mode, content }: Present, entry: Entry, queue: Entry[]): void {
    if (mode !== '120000' || content === null) return;
    const target = posix.normalize(posix.join(posix.dirname(path), content.toString('utf8')));
    if (
      content.toString('utf8').startsWith('/') ||
      target.startsWith('..') ||
      target === '.' ||
      under(target, '.git') ||
      words.test(target)
    )
      return;
    queue.push({ path: target, why: entry.why, linked: true } as Entry);
  }

  /** `files` are taken one by one; null takes the entry as a whole. Null when nothing was there to be taken any more. */
  async #setAside(
    entry: Entry,
    files: string[] | null,
    base: ReadonlyMap<string, string>,
    command: string,
    record: Record,
  ): Promise<Aside | null> {
    const { places, meta } = this.#options;
    const folders = asidePlaces(places, meta);
    const id = randomUUID();
    const aside: Aside = {
      id,
      entry: entry.path,
      subject: entry.path,
      place: join(folders[0]!, id),
      whole: files === null,
      names: null,
      why: entry.why,
      command,
      replaced: false,
      at: Date.now(),
      told: false,
    };
    // On disk before anything moves: after a crash it is known what lies there.
    record.asides.push(aside);
    await this.#save();
    const drop = async (): Promise<void> => {
      record.asides = record.asides.filter((each) => each !== aside);
      await this.#save();
    };
    const { place, taken } = await takeAside(this.#worktree, folders, id, files ?? [entry.path]).catch(async (error: unknown) => {
      await drop();
      throw error;
    });
    if (taken.length === 0) {
      await drop();
      return null;
    }
    const back = [...base].filter(([path]) => (aside.whole ? under(path, entry.path) : taken.some((each) => under(path, each))));
    const restored = back.map(async ([path, name]) => ({ path, mode: name.slice(0, 6), content: await this.#known.read(name) }));
    // Where something is in its way again, the next look finds that.
    const replaced = await Promise.all(restored)
      .then((files) => putBase(this.#worktree, place, files))
      .then(
        () => back.length > 0,
        () => false,
      );
    const names = await namesAside(place, entry.path, this.#algorithm);
    const paths = Object.keys(names ?? {});
    const subject = !aside.whole && paths.length === 1 ? paths[0]! : entry.path || `${taken.length} files such as ${taken[0]}`;
    Object.assign(aside, { place, names, subject, replaced });
    return this.#keep(aside, record);
  }

  /** The same once more is kept once, and told once. */
  async #keep(aside: Aside, record: Record): Promise<Aside> {
    const key = (each: Aside): string | null => each.names && JSON.stringify(Object.entries(each.names).toSorted());
    const before = record.asides.find(
      (each) => each !== aside && each.entry === aside.entry && key(each) !== null && key(each) === key(aside),
    );
    if (before) record.asides = record.asides.filter((each) => each !== aside);
    await this.#save();
    if (before) await dropAside(aside.place);
    return before ?? aside;
  }

  /** The first files that lie aside under this id, each at most `limit` bytes. Throws `not-found`. */
  async read(id: string, limit: { files: number; bytes: number }): Promise<{ files: { path: string; content: Buffer }[]; more: number }> {
    const aside = (await this.#load()).asides.find((each) => each.id === id);
    if (!aside) throw new Failure('not-found', 'What was set aside is not there any more.');
    const door = openDoor(aside.place);
    const all = Object.entries(aside.names ?? {});
    const read = all.slice(0, limit.files).map(async ([path, name]) => {
      const link = name.startsWith('120000');
      const content = link
        ? Buffer.from(`→ ${await readlink(join(aside.place, path))}`)
        : await door.read(path).catch(() => Buffer.alloc(0));
      return { path, content: content.subarray(0, limit.bytes + 1) };
    });
    return { files: await Promise.all(read), more: Math.max(0, all.length - limit.files) };
  }

  /**
   * Brings back what was set aside; `once` lets in this very content, otherwise its path is among the allowed
   * ones by now. Throws `not-found`, and `conflict` when what lies there is not what was set aside.
   */
  letIn(id: string, once: boolean): Promise<void> {
    return this.#lock.run(async () => {
      const record = await this.#load();
      const aside = record.asides.find((each) => each.id === id);
      if (!aside) throw new Failure('not-found', 'What was set aside is not there any more.');
      if (once && aside.names === null)
        throw new Failure('not-allowed', `${aside.subject} is too large to be let in as it is.`, {
          fix: 'Allow the path for the task instead.',
        });
      const now = await namesAside(aside.place, aside.entry, this.#algorithm);
      const changed = Object.entries(now ?? {}).some(([path, name]) => aside.names?.[path] !== name);
      if (aside.names !== null && (now === null || changed))
        throw new Failure('conflict', `${aside.subject} has changed since it was set aside.`, { fix: `Look at it in ${aside.place}` });
      if (once) {
        record.once.push(...Object.entries(aside.names!).map(([path, name]) => `${path}\0${name}`));
        await this.#save();
      }
      await bringBack(this.#worktree, aside.place, aside.entry, aside.whole, Object.keys(aside.names ?? {}));
      record.asides = record.asides.filter((each) => each !== aside);
      await this.#save();
      await dropAside(aside.place);
    });
  }

  /** Why tools of the person run a path of any depth by themselves, the hooks folder that their git is told of among them; null where none does. */
  async hostRun(path: string): Promise<string | null> {
    const more = await (this.#more ??= this.#hooks());
    return hostRun(path) ?? [...more].find(([folder]) => under(path, folder))?.[1] ?? null;
  }

  /** The person put these commits on the branch: what they changed is let in. */
  async trust(from: string, to: string): Promise<void> {
    const { gitDir } = this.#options.meta.project;
    const changed = await outside({
      gitDir,
      args: ['diff-tree', '-r', '-z', '--raw', '--no-abbrev', '--no-renames', from, to],
      answers: [128],
    });
    const record = await this.#load();
    const added = [...changed.stdout.toString('utf8').matchAll(/:\d+ (\d+) [0-9a-f]+ ([0-9a-f]+) [AMT]\0([^\0]+)\0/g)]
      .filter(([, , , path]) => hostRun(path!) !== null)
      .map(([, mode, oid, path]) => `${path}\0${mode} ${oid}`);
    if (added.length === 0) return;
    record.once.push(...added);
    await this.#save();
  }
}
