import { open } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { Machine } from '../../sandbox/types.ts';

/** All project files together; what is longer is cut off at the limit. */
const MAX_PROJECT_BYTES = 32 * 1024;
const NAMES = ['AGENTS.override.md', 'AGENTS.md'];
const SEPARATOR = '\n\n--- project-doc ---\n\n';

/** As much of a file as may be told: one of many megabytes would fill the window. */
async function startOf(file: string): Promise<string> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(MAX_PROJECT_BYTES), 0, MAX_PROJECT_BYTES, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** The person's own instructions: the first of the two names in their home that isn't empty. */
async function globalDoc(home: string | undefined): Promise<string> {
  if (!home) return '';
  for (const name of NAMES) {
    const text = (await startOf(join(home, name)).catch(() => '')).trim();
    if (text) return text;
  }
  return '';
}

/** The folders from the project's root (the nearest with a `.git`, within the worktree) down to `cwd`. */
export async function foldersOf(machine: Machine, cwd: string): Promise<string[]> {
  const { worktree } = machine.spec;
  const folders: string[] = [];
  for (let folder = cwd; ; folder = dirname(folder)) {
    folders.unshift(folder);
    if (await machine.files.stat(relative(worktree, join(folder, '.git'))).catch(() => null)) return folders;
    if (folder === worktree || !folder.startsWith(worktree)) return [cwd];
  }
}

/**
 * At most `limit` bytes of a file. What the door doesn't read, symlinks and larger files, is read by a process inside
 * the sandbox: it reaches what the agent could read anyway and nothing else.
 */
export async function readDoc(
  machine: Machine,
  path: string,
  { kind, size }: { kind: string; size: number },
  limit: number,
): Promise<string> {
  if (kind === 'file' && size <= limit) return (await machine.files.read(relative(machine.spec.worktree, path), limit)).toString('utf8');
  const { code, stdout } = await machine.collect({ argv: ['head', '-c', String(limit), '--', path], access: 'read', limit });
  return code === 0 ? stdout.toString('utf8') : '';
}

async function docIn(machine: Machine, folder: string, limit: number): Promise<string> {
  for (const name of NAMES) {
    const path = join(folder, name);
    const stat = await machine.files.stat(relative(machine.spec.worktree, path)).catch(() => null);
    if (stat?.kind !== 'file' && stat?.kind !== 'symlink') continue;
    const text = await readDoc(machine, path, stat, limit).catch(() => '');
    // A link that leads nowhere is no file; an empty file counts as the folder's one and is left out.
    if (text || stat.kind === 'file') return text;
  }
  return '';
}

/**
 * The instructions that hold in `cwd`: the person's, then one file per folder from the root down (HARNESS facts
 * 1.6). Null when there are none. Never throws for what the files are; the worktree can't lead it outside.
 */
export async function instructions(machine: Machine, cwd: string, home: string | undefined): Promise<string | null> {
  const docs: string[] = [];
  let room = MAX_PROJECT_BYTES;
  for (const folder of await foldersOf(machine, cwd)) {
    if (room <= 0) break;
    const text = await docIn(machine, folder, room);
    room -= Buffer.byteLength(text);
    if (text.trim()) docs.push(text);
  }
  const own = await globalDoc(home);
  const project = docs.join('\n\n');
  const all = own && project ? own + SEPARATOR + project : own || project;
  return all ? `# AGENTS.md instructions for ${cwd}\n\n<INSTRUCTIONS>\n${all}\n</INSTRUCTIONS>` : null;
}
