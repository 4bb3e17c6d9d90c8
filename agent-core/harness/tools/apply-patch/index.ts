import { isAbsolute, relative, resolve, sep } from 'node:path';
import { Failure } from '../../../contract/errors.ts';
import type { FileChange } from '../../../contract/items.ts';
import type { WorktreeFiles } from '../../../sandbox/types.ts';
import { applyChunks, NotFound, splitLines } from './match.ts';
import { parsePatch, PatchError, type Hunk } from './parse.ts';

export { parsePatch, patchPaths, PatchError, type Chunk, type Hunk, type PatchLine } from './parse.ts';
export { APPLY_PATCH_DESCRIPTION, APPLY_PATCH_FUNCTION_DESCRIPTION, APPLY_PATCH_GRAMMAR } from './prompt.ts';

/** What a patch needs of a folder of files; see {@link WorktreeFiles} for what each throws. */
export type PatchFiles = Pick<WorktreeFiles, 'read' | 'write' | 'remove' | 'stat'>;

export interface PatchResult {
  ok: boolean;
  /** What the model is told, in the words it was trained on. */
  text: string;
  /** The same for a person or a terminal, without the tool's own heading. */
  summary: string;
  /** What was really changed, in order; not empty when a later hunk of the patch failed. */
  changes: FileChange[];
}

/** A hunk that can't be applied, in words for the model. */
class HunkError extends Error {}

const missing = (thrown: unknown) => thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT';

function because(thrown: unknown): string {
  if (missing(thrown)) return 'No such file or directory (os error 2)';
  return thrown instanceof Error ? thrown.message : String(thrown);
}

async function readText(files: PatchFiles, path: string): Promise<string> {
  const bytes = await reading(files, path);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new HunkError(`Failed to read file to update ${path}: stream did not contain valid UTF-8`);
  }
}

async function reading(files: PatchFiles, path: string): Promise<Buffer> {
  try {
    return await files.read(path);
  } catch (thrown) {
    if (thrown instanceof Failure) throw thrown;
    throw new HunkError(`Failed to read file to update ${path}: ${because(thrown)}`);
  }
}

async function writing(files: PatchFiles, path: string, content: string | Uint8Array): Promise<void> {
  try {
    await files.write(path, content);
  } catch (thrown) {
    if (thrown instanceof Failure) throw thrown;
    throw new HunkError(`Failed to write file ${path}: ${because(thrown)}`);
  }
}

/** Lines of an existing file, 0 where there is none or it is no text. */
async function countLines(files: PatchFiles, path: string): Promise<number> {
  if ((await files.stat(path))?.kind !== 'file') return 0;
  return splitLines((await files.read(path)).toString('utf8')).length;
}

interface Place {
  files: PatchFiles;
  at(path: string): string;
  show(path: string): string;
}

async function addFile(hunk: Extract<Hunk, { type: 'add' }>, { files, at, show }: Place): Promise<FileChange> {
  const removed = await countLines(files, at(hunk.path));
  await writing(files, at(hunk.path), hunk.lines.map((line) => `${line}\n`).join(''));
  return { path: show(hunk.path), movedTo: null, kind: 'add', added: hunk.lines.length, removed };
}

async function deleteFile(hunk: Extract<Hunk, { type: 'delete' }>, { files, at, show }: Place): Promise<FileChange> {
  const path = at(hunk.path);
  const stat = await files.stat(path);
  if (!stat || stat.kind === 'folder') throw new HunkError(`Failed to delete file ${path}`);
  const removed = await countLines(files, path);
  await files.remove(path);
  return { path: show(hunk.path), movedTo: null, kind: 'delete', added: 0, removed };
}

function changed(content: string, hunk: Extract<Hunk, { type: 'update' }>, path: string): string {
  try {
    return applyChunks(content, hunk.chunks);
  } catch (thrown) {
    if (!(thrown instanceof NotFound)) throw thrown;
    throw new HunkError(
      thrown.what === 'anchor'
        ? `Failed to find context '${thrown.expected}' in ${path}`
        : `Failed to find expected lines in ${path}:\n${thrown.expected}`,
    );
  }
}

async function updateFile(hunk: Extract<Hunk, { type: 'update' }>, { files, at, show }: Place): Promise<FileChange> {
  const path = at(hunk.path);
  // A pure rename keeps the bytes as they are, text or not.
  const content = hunk.chunks.length === 0 ? await reading(files, path) : changed(await readText(files, path), hunk, path);
  const target = hunk.moveTo === null ? path : at(hunk.moveTo);
  await writing(files, target, content);
  if (target !== path) await files.remove(path);
  const lines = hunk.chunks.flatMap((chunk) => chunk.lines);
  const count = (sign: string) => lines.filter((line) => line.sign === sign).length;
  return {
    path: show(hunk.path),
    movedTo: hunk.moveTo === null ? null : show(hunk.moveTo),
    kind: 'update',
    added: count('+'),
    removed: count('-'),
  };
}

function applyHunk(hunk: Hunk, place: Place): Promise<FileChange> {
  if (hunk.type === 'add') return addFile(hunk, place);
  return hunk.type === 'delete' ? deleteFile(hunk, place) : updateFile(hunk, place);
}

/** `A`, `M`, `D` and a path a line, in that order, as the tool has always listed them. */
function listing(changes: readonly FileChange[]): string {
  const of = (letter: string, kind: FileChange['kind']) =>
    changes.filter((change) => change.kind === kind).map((change) => `${letter} ${change.movedTo ?? change.path}\n`);
  return [...of('A', 'add'), ...of('M', 'update'), ...of('D', 'delete')].join('');
}

function failure(thrown: unknown, changes: FileChange[]): PatchResult {
  const done = changes.length > 0 ? `\nThe earlier parts of the patch were applied and stay:\n${listing(changes)}` : '';
  if (thrown instanceof Failure) {
    const text = `patch rejected: writing outside of the project; rejected by user approval settings\n${thrown.message}${done}`;
    return {
      ok: false,
      text: thrown.detail.code === 'not-allowed' ? text : `apply_patch failed: ${thrown.message}${done}`,
      summary: `${thrown.message}${done}`,
      changes,
    };
  }
  if (!(thrown instanceof HunkError || thrown instanceof PatchError || thrown instanceof Error)) throw thrown;
  return { ok: false, text: `apply_patch verification failed: ${thrown.message}${done}`, summary: `${thrown.message}${done}`, changes };
}

/**
 * Applies a patch, hunk by hunk in its own order; the chunks of one file are all found before the file is written.
 * Not transactional: what came before a hunk that fails stays, and the text says so. Never throws for what the patch
 * or the files hold. Relative paths start at `cwd` (absolute); the door decides which absolute ones are inside.
 */
export async function applyPatch(text: string, files: PatchFiles, cwd: string): Promise<PatchResult> {
  const started = performance.now();
  const changes: FileChange[] = [];
  const at = (path: string) => resolve(cwd, path);
  const show = (path: string) => {
    const inside = relative(cwd, at(path));
    return inside === '' || isAbsolute(inside) || inside.startsWith('..') ? path : inside.split(sep).join('/');
  };
  try {
    const hunks = parsePatch(text);
    if (hunks.length === 0) throw new HunkError('No files were modified.');
    for (const hunk of hunks) changes.push(await applyHunk(hunk, { files, at, show }));
  } catch (thrown) {
    return failure(thrown, changes);
  }
  const summary = `Success. Updated the following files:\n${listing(changes)}`;
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  return { ok: true, text: `Exit code: 0\nWall time: ${seconds} seconds\nOutput:\n${summary}`, summary, changes };
}
