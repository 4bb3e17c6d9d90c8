import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { Failure } from '../../agent-core/contract/errors.ts';
import type { PatchFiles } from '../../agent-core/harness/tools/apply-patch/index.ts';

/** A real folder under the system's temp folder, and a plain door to it. */
export interface Folder {
  path: string;
  files: PatchFiles;
  /** Every file's content by path. */
  read(): Promise<Record<string, string>>;
  remove(): Promise<void>;
}

async function readAll(root: string, below = ''): Promise<Record<string, string>> {
  const all: Record<string, string> = {};
  for (const entry of await readdir(join(root, below), { withFileTypes: true })) {
    const path = below ? `${below}/${entry.name}` : entry.name;
    if (entry.isDirectory()) Object.assign(all, await readAll(root, path));
    else all[path] = await readFile(join(root, path), 'utf8');
  }
  return all;
}

export async function folderWith(content: Record<string, string | Uint8Array>): Promise<Folder> {
  const root = await mkdtemp(join(tmpdir(), 'signalbox-patch-'));
  const inside = (path: string) => {
    const full = resolve(root, path);
    if (!full.startsWith(`${root}/`)) throw new Failure('not-allowed', `${path} is outside of the folder.`);
    return full;
  };
  const write = async (path: string, text: string | Uint8Array) => {
    const full = inside(path);
    await mkdir(dirname(full), { recursive: true });
    await writeFile(full, text);
  };
  for (const [path, text] of Object.entries(content)) await write(path, text);
  const files: PatchFiles = {
    read: async (path) => readFile(inside(path)),
    write,
    remove: async (path) => rm(inside(path)),
    stat: async (path) => {
      const found = await stat(inside(path)).catch(() => null);
      return found && { kind: found.isFile() ? 'file' : 'folder', size: found.size, mode: found.mode };
    },
  };
  return { path: root, files, read: () => readAll(root), remove: () => rm(root, { recursive: true, force: true }) };
}
