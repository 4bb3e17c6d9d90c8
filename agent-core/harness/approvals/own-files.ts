import { realpath } from 'node:fs/promises';
import { delimiter, isAbsolute, join, relative, resolve } from 'node:path';
import { splitPlain } from './words.ts';

/**
 * Whether a command that is to run outside the fence would run what its agent may have written: a program, or a script
 * that an interpreter is given. A person who allows it sees the words of the command, not what such a file holds.
 */

export interface Grounds {
  cwd: string;
  /** What commands inside may write: the worktree, and where the private HOME and /tmp lie on the host. */
  worktree: string;
  stateDir: string;
  /** The person's PATH and HOME; those of the process when absent. */
  temporary?: readonly string[];
  env?: { PATH?: string | undefined; HOME?: string | undefined };
}

/** Programs that run the program among their arguments. */
const wrappers = new Set(
  'env sudo doas nohup time timeout nice ionice setsid stdbuf command exec builtin xargs chrt taskset setpriv unshare flock watch entr strace ltrace script parallel'.split(
    ' ',
  ),
);
const interpreters =
  /^(ba|z|da|a|fi|k|mk|c|tc|rba)?sh$|^(source|\.|python|pypy|node|nodejs|deno|bun|ts-node|tsx|ruby|irb|perl|php|lua|luajit|Rscript|julia|java|tclsh|wish|expect|osascript|awk|gawk|mawk|sed|make|gmake|just)[\d.]*$/;

const inside = (path: string, folder: string): boolean => {
  const way = relative(folder, path);
  return way === '' || (!way.startsWith('..') && !isAbsolute(way));
};

const exists = (path: string): Promise<string | null> => realpath(path).catch(() => null);

/** Whether a path is one that the agent may have written: by its name, by where it leads, or by its like inside. */
async function written(path: string, grounds: Grounds, mustExist: boolean): Promise<boolean> {
  const own = resolve(grounds.cwd, path);
  const real = await exists(own);
  const places = [grounds.worktree, grounds.stateDir];
  if (real !== null && places.some((place) => inside(real, place))) return true;
  if (places.some((place) => inside(own, place))) return !mustExist || real !== null;
  // Inside, these are the agent's own: what has such a name out here is not what it means.
  if ((grounds.temporary ?? ['/tmp', '/var/tmp', '/dev/shm']).some((place) => inside(own, place))) return true;
  const home = grounds.env?.HOME ?? process.env['HOME'];
  return home !== undefined && inside(own, home) && (await exists(join(grounds.stateDir, 'home', relative(home, own)))) !== null;
}

/** The program's file by PATH, when that lies where the agent writes. */
async function onPath(program: string, grounds: Grounds): Promise<string | null> {
  for (const folder of (grounds.env?.PATH ?? process.env['PATH'] ?? '').split(delimiter)) {
    const real = await exists(join(folder || grounds.cwd, program));
    if (real !== null) return inside(real, grounds.worktree) || inside(real, grounds.stateDir) ? real : null;
  }
  return null;
}

/** The file of the agent's that this command would run; null when there is none. */
async function ofWords(words: readonly string[], grounds: Grounds, depth: number): Promise<string | null> {
  let at = 0;
  while (/^[A-Za-z_]\w*=/.test(words[at] ?? '')) at += 1;
  const program = words[at];
  if (program === undefined || program === '') return null;
  const name = program.replace(/^.*\//, '');
  const rest = words.slice(at + 1);
  if (program.includes('/') && (await written(program, grounds, false))) return program;
  if (!program.includes('/')) {
    const found = await onPath(program, grounds);
    if (found) return found;
  }
  if (wrappers.has(name)) {
    // Which of its words is the program can't be told for each of them: any may be.
    for (const [index, word] of rest.entries()) {
      if (word.startsWith('-') || /^[A-Za-z_]\w*=/.test(word) || /^[\d.]+[smhd]?$/.test(word)) continue;
      const found = await ofWords(rest.slice(index), grounds, depth);
      if (found) return found;
      if (word.includes('/') && (await written(word, grounds, true))) return word;
    }
    return null;
  }
  return interpreters.test(name) ? ofScript(rest, grounds, depth) : null;
}

/** What an interpreter is given: a script, a folder, a module, or a shell's own line. */
async function ofScript(rest: readonly string[], grounds: Grounds, depth: number): Promise<string | null> {
  for (const [index, word] of rest.entries()) {
    const value = /^-{1,2}[\w-]+=(.+)$/s.exec(word)?.[1] ?? word;
    if (word === '-c' || /^-\w*c$/.test(word)) {
      const found = depth < 3 && rest[index + 1] !== undefined ? await ofLine(rest[index + 1]!, grounds, depth + 1) : null;
      if (found) return found;
      continue;
    }
    if (word === '-m' && rest[index + 1] !== undefined) {
      const module = rest[index + 1]!.split('.')[0]!;
      for (const name of [module, `${module}.py`]) if (await written(name, grounds, true)) return name;
    }
    if (value.startsWith('-')) continue;
    if (await written(value, grounds, true)) return value;
  }
  return null;
}

/** Cuts a line that isn't plain where the shell would, roughly: for looking, not for running. */
function roughly(line: string): string[][] {
  return line
    .split(/[;&|\n(){}`<>]|\$\(/)
    .map((part) => (part.match(/"[^"]*"|'[^']*'|[^\s"']+/g) ?? []).map((word) => word.replace(/^(["'])([\s\S]*)\1$/, '$2')))
    .filter((words) => words.length > 0);
}

async function ofLine(line: string, grounds: Grounds, depth: number): Promise<string | null> {
  for (const words of splitPlain(line) ?? roughly(line)) {
    const found = await ofWords(words, grounds, depth);
    if (found) return found;
  }
  return null;
}

/**
 * The file that a command line would run outside and that its agent may have written; null where none can be told. In a
 * line that only a shell understands it is looked for as well as can be: the person still reads such a line.
 */
export const runsOwnFile = (line: string, grounds: Grounds): Promise<string | null> => ofLine(line, grounds, 0);
