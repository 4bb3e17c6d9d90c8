import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Project, Shortcut } from '../contract/index.ts';
import { outside } from '../git/runner.ts';
import { bodyOf, frontMatter } from '../harness/context/front-matter.ts';
import { newestCommit } from '../workspace/recipe/base-file.ts';
import type { CoreOptions } from './api.ts';

const FILE_LIMIT = 64 * 1024;
const MOST_FILES = 200;

interface Found {
  path: string;
  text: string;
  source: string;
}
export interface Shortcuts {
  shortcuts: Shortcut[];
  problems: string[];
}

/** Text files of one kind below a folder of the person's; none where it isn't there. */
async function own(folder: string, wanted: (path: string) => boolean, source: string): Promise<Found[]> {
  const entries = await readdir(folder, { recursive: true }).catch(() => []);
  const paths = entries.filter(wanted).toSorted().slice(0, MOST_FILES);
  const read = paths.map(async (path): Promise<Found[]> => {
    const file = join(folder, path);
    const size = (await stat(file).catch(() => null))?.size ?? Infinity;
    return size > FILE_LIMIT ? [] : [{ path: file, text: await readFile(file, 'utf8').catch(() => ''), source }];
  });
  return (await Promise.all(read)).flat();
}

/** The same as a project's newest commit has them: never from a worktree, where an agent may have written them. */
async function committed(project: Project, folder: string, wanted: (path: string) => boolean): Promise<Found[]> {
  const { gitDir, name } = project;
  const listed = await outside({
    gitDir,
    args: ['ls-tree', '-r', '-l', '-z', '--full-tree', await newestCommit(project), '--', `${folder}/`],
    answers: [128],
  });
  const files = listed.stdout
    .toString('utf8')
    .split('\0')
    .flatMap((line) => {
      const match = /^100(?:644|755) blob ([0-9a-f]+) +(\d+)\t([^]*)$/.exec(line);
      return match && Number(match[2]) <= FILE_LIMIT && wanted(match[3]!) ? [{ oid: match[1]!, path: match[3]! }] : [];
    });
  return Promise.all(
    files.slice(0, MOST_FILES).map(async ({ oid, path }) => ({
      path,
      text: (await outside({ gitDir, args: ['cat-file', 'blob', oid] })).stdout.toString('utf8'),
      source: `in ${name}`,
    })),
  );
}

const isPrompt = (path: string): boolean => path.endsWith('.md');
const isSkill = (path: string): boolean => path.endsWith('/SKILL.md');
/** What can be typed after a slash. */
const fits = (name: string): boolean => /^[A-Za-z0-9][\w.:-]{0,63}$/.test(name);

function prompt({ path, text, source }: Found): Shortcut | string {
  const name = basename(path, '.md');
  const body = bodyOf(text).trim();
  if (!fits(name)) return `${path}: its name can’t be typed after a slash`;
  if (!body) return `${path}: it is empty`;
  const description = frontMatter(text)?.get('description') ?? body.split('\n')[0]!;
  return { name, kind: 'prompt', description: description.slice(0, 200), text: body, source };
}

function skill({ path, text, source }: Found): Shortcut | string {
  const values = frontMatter(text);
  const description = values?.get('description')?.trim();
  if (!description) return `${path}: ${values ? 'its front matter has no description' : 'it has no front matter between two lines of ---'}`;
  const name = values?.get('name')?.trim() || basename(dirname(path));
  if (!fits(name)) return `${path}: its name can’t be typed after a slash`;
  return { name, kind: 'skill', description: description.slice(0, 200), text: `$${name} `, source };
}

/** Saved prompts and skills, the project's before the person's before those that come with Signalbox. Of two with one name the first counts. */
export async function findShortcuts(project: Project, { home, env }: Pick<CoreOptions, 'home' | 'env'>): Promise<Shortcuts> {
  const mine = 'yours';
  const found = await Promise.all([
    committed(project, '.signalbox/prompts', isPrompt).then((files) => files.map(prompt)),
    own(join(home, 'prompts'), isPrompt, mine).then((files) => files.map(prompt)),
    committed(project, '.agents/skills', isSkill).then((files) => files.map(skill)),
    env['HOME'] ? own(join(env['HOME'], '.agents', 'skills'), isSkill, mine).then((files) => files.map(skill)) : [],
    own(join(home, 'skills'), isSkill, mine).then((files) => files.map(skill)),
    own(join(home, 'bundled-skills'), isSkill, 'comes with Signalbox').then((files) => files.map(skill)),
  ]);
  const all = found.flat();
  const byName = new Map<string, Shortcut>();
  for (const one of all) if (typeof one !== 'string' && !byName.has(one.name)) byName.set(one.name, one);
  return {
    shortcuts: [...byName.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    problems: all.filter((one) => typeof one === 'string'),
  };
}
