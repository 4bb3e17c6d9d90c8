import type { AppError, DiffFile, DiffScope, InputOf, OutputOf, TaskId } from '../../../agent-core/contract/index.ts';
import { toAppError } from '../../../agent-core/contract/index.ts';
import { loadFile, type LoadedFile } from './file-state.ts';
import { splitPatch } from './patch.ts';

type DiffMethod = 'diff/read' | 'diff/patch';
/** The two calls that this room makes; rejects with a `Failure` for an expected failure. */
export type DiffCall = <M extends DiffMethod>(method: M, input: InputOf<M>) => Promise<OutputOf<M>>;

export interface DiffState {
  /** The trees that the files were read between; null before the first answer. */
  trees: { from: string; to: string } | null;
  files: readonly DiffFile[];
  loaded: ReadonlyMap<string, LoadedFile>;
  failed: ReadonlyMap<string, AppError>;
  error: AppError | null;
  reading: boolean;
}

const BATCH = 24;
const blank: DiffState = { trees: null, files: [], loaded: new Map(), failed: new Map(), error: null, reading: false };

/**
 * One diff: the list of files at once, their patches as they come into view, some at a time. Reading again keeps the
 * patches of files that didn't change, so a turn that goes on doesn't blank what is being read. Answers that arrive
 * after a newer question are dropped.
 */
export class PatchStore {
  state: DiffState = blank;
  private readonly call: DiffCall;
  private readonly taskId: TaskId;
  private readonly listeners = new Set<() => void>();
  private wanted = new Set<string>();
  private asked = new Set<string>();
  private round = 0;
  private busy = false;
  private view: { scope: DiffScope; ignoreWhitespace: boolean } = { scope: 'task', ignoreWhitespace: false };

  constructor(call: DiffCall, taskId: TaskId) {
    this.call = call;
    this.taskId = taskId;
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  private set(change: Partial<DiffState>): void {
    this.state = { ...this.state, ...change };
    for (const listener of this.listeners) listener();
  }

  /** Reads the list of files anew. A changed scope starts empty; the same scope keeps what is still true. */
  async read(view: { scope: DiffScope; ignoreWhitespace: boolean }): Promise<void> {
    const other = view.scope !== this.view.scope || view.ignoreWhitespace !== this.view.ignoreWhitespace;
    this.view = view;
    const round = ++this.round;
    this.set(other ? { ...blank, reading: true } : { reading: true, error: null });
    try {
      const answer = await this.call('diff/read', { taskId: this.taskId, scope: view.scope });
      if (round !== this.round) return;
      const loaded = this.stillTrue(answer.files);
      this.asked = new Set(loaded.keys());
      this.set({
        trees: { from: answer.from, to: answer.to },
        files: answer.files,
        loaded,
        failed: new Map(),
        reading: false,
        error: null,
      });
      this.pump();
    } catch (thrown) {
      if (round === this.round) this.set({ error: toAppError(thrown), reading: false });
    }
  }

  private stillTrue(files: readonly DiffFile[]): Map<string, LoadedFile> {
    const before = new Map(this.state.files.map((file) => [file.path, file]));
    const keep = new Map<string, LoadedFile>();
    for (const file of files) {
      const old = before.get(file.path);
      const loaded = this.state.loaded.get(file.path);
      if (loaded && old && old.newBlob === file.newBlob && old.oldBlob === file.oldBlob && file.newBlob !== null)
        keep.set(file.path, loaded);
    }
    return keep;
  }

  /** Says that these files are in view. Their patches follow, together. */
  want(paths: readonly string[]): void {
    for (const path of paths) this.wanted.add(path);
    queueMicrotask(() => this.pump());
  }

  /** Asks again for a file whose patch could not be read. */
  retry(path: string): void {
    this.asked.delete(path);
    const failed = new Map(this.state.failed);
    failed.delete(path);
    this.set({ failed });
    this.want([path]);
  }

  private pump(): void {
    if (this.busy || !this.state.trees) return;
    // The last that came into view comes first: it is what is being looked at.
    const next = [...this.wanted]
      .reverse()
      .filter((path) => !this.asked.has(path))
      .slice(0, BATCH);
    this.wanted = new Set([...this.wanted].filter((path) => !next.includes(path) && !this.asked.has(path)));
    if (next.length === 0) return;
    void this.fetch(next, this.state.trees);
  }

  private async fetch(paths: string[], trees: { from: string; to: string }): Promise<void> {
    const round = this.round;
    this.busy = true;
    for (const path of paths) this.asked.add(path);
    const files = new Map(this.state.files.map((file) => [file.path, file]));
    const names = paths.flatMap((path) => {
      const old = files.get(path)?.oldPath;
      return old ? [path, old] : [path];
    });
    try {
      const answer = await this.call('diff/patch', {
        taskId: this.taskId,
        ...trees,
        paths: names,
        ignoreWhitespace: this.view.ignoreWhitespace,
      });
      if (round === this.round) this.take(paths, files, answer, trees);
    } catch (thrown) {
      if (round === this.round) {
        const error = toAppError(thrown);
        this.set({ failed: new Map([...this.state.failed, ...paths.map((path) => [path, error] as const)]) });
      }
    } finally {
      this.busy = false;
      this.pump();
    }
  }

  private take(paths: string[], files: Map<string, DiffFile>, answer: OutputOf<'diff/patch'>, trees: { from: string; to: string }): void {
    const raws = new Map(splitPatch(answer.patch).map((raw) => [raw.path, raw]));
    const loaded = new Map(this.state.loaded);
    for (const path of paths) {
      const file = files.get(path);
      if (!file) continue;
      const raw = raws.get(path) ?? { path, oldPath: file.oldPath, head: [], hunks: [], binary: file.binary };
      const key = `${trees.from}:${file.oldBlob ?? ''}:${file.newBlob ?? trees.to}:${path}:${this.view.ignoreWhitespace}`;
      loaded.set(path, loadFile(file, raw, key, answer.truncated && !raws.has(path)));
    }
    this.set({ loaded });
  }
}
