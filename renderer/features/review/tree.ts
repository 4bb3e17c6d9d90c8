import type { DiffFile } from '../../../agent-core/contract/index.ts';

/** A row of the file tree: a folder (chains of single folders joined, as `src/billing`) or a changed file. */
export type TreeRow =
  | { kind: 'folder'; key: string; label: string; level: number; open: boolean }
  | { kind: 'file'; key: string; label: string; level: number; file: DiffFile };

interface Folder {
  folders: Map<string, Folder>;
  files: DiffFile[];
}

const folder = (): Folder => ({ folders: new Map(), files: [] });
const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

function build(files: readonly DiffFile[]): Folder {
  const root = folder();
  for (const file of files) {
    let at = root;
    for (const part of file.path.split('/').slice(0, -1)) {
      const next = at.folders.get(part) ?? folder();
      at.folders.set(part, next);
      at = next;
    }
    at.files.push(file);
  }
  return root;
}

function walk(at: Folder, path: string, level: number, closed: ReadonlySet<string>, rows: TreeRow[]): void {
  for (const [name, child] of at.folders) {
    let label = name;
    let inner = child;
    while (inner.files.length === 0 && inner.folders.size === 1) {
      const [only] = inner.folders;
      if (!only) break;
      label += `/${only[0]}`;
      inner = only[1];
    }
    const key = path + label;
    const open = !closed.has(key);
    rows.push({ kind: 'folder', key, label, level, open });
    if (open) walk(inner, `${key}/`, level + 1, closed, rows);
  }
  for (const file of at.files) rows.push({ kind: 'file', key: file.path, label: nameOf(file.path), level, file });
}

/** The tree of changed files as rows, folders before files, closed ones without what is in them. */
export function treeRows(files: readonly DiffFile[], closed: ReadonlySet<string>): TreeRow[] {
  const rows: TreeRow[] = [];
  walk(build(files), '', 1, closed, rows);
  return rows;
}

/** Files in the order of the tree, which is the order in which the diff shows them. */
export const inTreeOrder = (files: readonly DiffFile[]): DiffFile[] =>
  treeRows(files, new Set()).flatMap((row) => (row.kind === 'file' ? [row.file] : []));
