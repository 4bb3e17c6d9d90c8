import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { open, readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import type { Bind, Machine } from '../../sandbox/types.ts';
import type { TurnInput } from '../types.ts';
import { foldersOf, readDoc } from './agents-md.ts';
import { frontMatter } from './front-matter.ts';

/** A folder with a SKILL.md: instructions for a kind of work, which the model reads when it does such work. */
export interface Skill {
  name: string;
  description: string;
  /** Where the model reads it. */
  file: string;
}

export interface Skills {
  all: Skill[];
  /** What can't be used and why, in words for the person. */
  broken: string[];
  /** What must be visible in the sandbox for the model to read the person's own skills. */
  binds: Bind[];
}

const MAX_DEPTH = 6;
const MAX_ENTRIES = 20_000;
const MAX_NAME = 64;
const MAX_DESCRIPTION = 1024;
/** Front matter lies at the start of a file. */
const HEAD_BYTES = 16 * 1024;
/** The catalogue's share of the context window. */
const SHARE = 0.02;

const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim();

function read(file: string, text: string, skills: Skills): void {
  const values = frontMatter(text);
  const description = oneLine(values?.get('description') ?? '');
  const name = oneLine(values?.get('name') ?? '') || basename(dirname(file));
  const why = !values
    ? 'it has no front matter between two lines of ---'
    : !description
      ? 'its front matter has no description'
      : name.length > MAX_NAME
        ? `its name is longer than ${MAX_NAME} characters`
        : null;
  if (why) skills.broken.push(`${file}: ${why}`);
  else if (!skills.all.some((skill) => skill.name === name))
    skills.all.push({ name, description: description.slice(0, MAX_DESCRIPTION), file });
}

/** SKILL.md files below a folder of the worktree; null where links are in the way, which the door doesn't follow. */
async function listed(machine: Machine, root: string): Promise<string[] | null> {
  const found: string[] = [];
  let left = MAX_ENTRIES;
  const walk = async (folder: string, depth: number): Promise<boolean> => {
    const entries = await machine.files.list(relative(machine.spec.worktree, folder));
    if (entries.some(({ kind }) => kind === 'symlink')) return false;
    if (entries.some(({ name, kind }) => name === 'SKILL.md' && kind === 'file')) found.push(join(folder, 'SKILL.md'));
    else if (depth < MAX_DEPTH)
      for (const { name, kind } of entries)
        if (kind === 'folder' && (left -= 1) > 0 && !(await walk(join(folder, name), depth + 1))) return false;
    return true;
  };
  return (await walk(root, 0)) ? found.toSorted() : null;
}

/** With links the search is the sandbox's: it finds what the agent could read anyway and nothing else. */
async function searched(machine: Machine, root: string): Promise<string[]> {
  const argv = ['find', '-L', root, '-maxdepth', String(MAX_DEPTH + 1), '-name', 'SKILL.md', '-type', 'f'];
  const { stdout } = await machine.collect({ argv, access: 'read', limit: 256 * 1024 });
  return stdout
    .toString('utf8')
    .split('\n')
    .filter((line) => line.startsWith(root) && line.endsWith('/SKILL.md'))
    .toSorted();
}

async function projectSkills(machine: Machine, root: string, skills: Skills): Promise<void> {
  const door = (path: string): string => relative(machine.spec.worktree, path);
  const kindOf = async (path: string): Promise<string | undefined> => (await machine.files.stat(door(path)))?.kind;
  const kinds = [await kindOf(dirname(root)), await kindOf(root).catch(() => 'symlink')];
  if (kinds.includes(undefined) || kinds.includes('file')) return;
  const files = kinds.includes('symlink') ? null : await listed(machine, root);
  for (const file of files ?? (await searched(machine, root))) {
    const found = await machine.files.stat(door(file)).catch(() => null);
    // Of a larger file the start is enough; reading only that is not the door's work.
    read(file, await readDoc(machine, file, found && files ? found : { kind: 'symlink', size: 0 }, HEAD_BYTES), skills);
  }
}

async function headOf(file: string): Promise<string> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
}

const holds = (folder: string, path: string): boolean => path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`);

/**
 * Where commands in the sandbox see one of the person's folders. A place of its own: a mount point below the private
 * HOME or the worktree would be made in folders that the agent may have replaced by links.
 */
const insideOf = (source: string): string => `/run/skills/${createHash('sha256').update(source).digest('hex').slice(0, 8)}`;

/** The person's own skills below `root`, linked folders too. */
async function ownSkills(root: string, input: TurnInput, skills: Skills): Promise<void> {
  const top = await realpath(root).catch(() => null);
  if (!top) return;
  const seen = new Set<string>();
  const shown = new Map<string, Bind>();
  const walk = async (folder: string, depth: number): Promise<void> => {
    const real = await realpath(folder);
    const tooMuch = [input.machine.spec.worktree, input.personHome, input.home].some((path) => path && holds(real, path));
    if (seen.has(real) || seen.size >= MAX_ENTRIES || tooMuch) return;
    seen.add(real);
    const names = await readdir(real);
    if (!names.includes('SKILL.md')) {
      for (const name of depth < MAX_DEPTH ? names.toSorted() : []) {
        const path = join(real, name);
        if ((await stat(path).catch(() => null))?.isDirectory()) await walk(path, depth + 1).catch(() => {});
      }
      return;
    }
    const source = holds(top, real) ? top : real;
    const target = insideOf(source);
    if (input.mode !== 'full') shown.set(source, { source, target, access: 'read' });
    read(
      join(input.mode === 'full' ? real : join(target, relative(source, real)), 'SKILL.md'),
      await headOf(join(real, 'SKILL.md')),
      skills,
    );
  };
  await walk(top, 0);
  skills.binds.push(...shown.values());
}

/**
 * All skills of a place, the nearest first: `.agents/skills` from the working folder up to the project's root, then
 * the person's `~/.agents/skills` and `skills` in SIGNALBOX_HOME, then those that come with us. Of two with one name the first counts. Never throws
 * for what the files are.
 */
export async function findSkills(input: TurnInput): Promise<Skills> {
  const skills: Skills = { all: [], broken: [], binds: [] };
  for (const folder of (await foldersOf(input.machine, input.cwd)).toReversed()) {
    await projectSkills(input.machine, join(folder, '.agents', 'skills'), skills).catch(() => {});
  }
  const own = [
    input.personHome && join(input.personHome, '.agents', 'skills'),
    input.home && join(input.home, 'skills'),
    input.home && join(input.home, 'bundled-skills'),
  ];
  for (const root of own) if (root) await ownSkills(root, input, skills).catch(() => {});
  return skills;
}

/** The longest length to which texts must be cut to need at most `room` together. */
function fitting(lengths: number[], room: number): number {
  let left = room;
  for (const [at, length] of lengths.toSorted((a, b) => a - b).entries()) {
    const share = Math.floor(left / (lengths.length - at));
    if (length > share) return Math.max(0, share);
    left -= length;
  }
  return Infinity;
}

/** What the model is told about the skills, within its share of the window: shorter descriptions first, then fewer skills. Null when there are none. */
export function catalogue({ all }: Pick<Skills, 'all'>, contextWindow: number): string | null {
  if (!all.length) return null;
  let room = Math.floor(contextWindow * SHARE * 4) - 600;
  const told = all.filter(({ name, file }) => (room -= Buffer.byteLength(name + file) + 16) > 0);
  const longest = fitting(
    told.map(({ description }) => Buffer.byteLength(description)),
    Math.max(0, room),
  );
  const lines = told.map(({ name, description, file }) => {
    const short =
      Buffer.byteLength(description) <= longest
        ? description
        : `${Buffer.from(description)
            .toString('utf8', 0, Math.max(0, longest - 3))
            .replace(/\uFFFD+$/, '')}…`;
    return `- ${name}: ${short} (${file})`;
  });
  if (told.length < all.length) lines.push(`(${all.length - told.length} more are left out for want of room; the person may name them.)`);
  return `<skills>\nSkills are instructions for certain kinds of work, each in a folder of its own. When the work is of that kind, or the person names one with a dollar sign ($name), read its SKILL.md whole before you begin, and of its other files only those that it sends you to; its paths are relative to its folder. Use no more skills than the work needs.\n${lines.join('\n')}\n</skills>`;
}

/** Points the model to the skills that the person named as `$name`, also those that the catalogue had no room for. */
export function mentioned({ all }: Skills, texts: string[]): string | null {
  const names = new Set(
    texts.flatMap((text) => [...text.matchAll(/(?<![\w$\\])\$([A-Za-z][\w.:-]*)/g)].map((match) => match[1]!.replace(/[.:-]+$/, ''))),
  );
  const called = all.filter(({ name }) => names.has(name));
  return called.length
    ? `<skill_mention>\nThe person asks for ${called.length > 1 ? 'these skills' : 'this skill'}; read before you begin:\n${called.map(({ name, file }) => `- ${name}: ${file}`).join('\n')}\n</skill_mention>`
    : null;
}

/** The machine, with these folders to be seen by every command, those that are added later too. One that is gone by then is left out. */
export function showing(machine: Machine, binds: readonly Bind[]): Machine {
  const shown = (own: Bind[] = []): Bind[] => [...binds.filter(({ source }) => existsSync(source)), ...own];
  return {
    get spec() {
      return machine.spec;
    },
    files: machine.files,
    run: (request) => machine.run({ ...request, binds: shown(request.binds) }),
    collect: (request) => machine.collect({ ...request, binds: shown(request.binds) }),
    setPolicy: (policy) => machine.setPolicy(policy),
    dispose: () => machine.dispose(),
  };
}
