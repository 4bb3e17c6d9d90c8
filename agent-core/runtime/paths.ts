import { workspaceOf, type Project, type TaskId } from '../contract/index.ts';
import { outside } from '../git/runner.ts';
import { newestCommit } from '../workspace/recipe/base-file.ts';
import { getTask } from '../domain/tasks.ts';
import type { Context } from './context.ts';

/** Paths beyond this many are not offered: nobody finds one of them by a few letters. */
const MOST_PATHS = 200_000;
const KEPT_TREES = 4;
/** A listing of this many paths at about 80 bytes each. */
const BYTES = 32 * 1024 * 1024;

/** Lists of files by tree. Trees never change, so that a list is made once; the few newest are kept. */
export class PathLists {
  readonly #context: Pick<Context, 'store' | 'workspaces' | 'options'>;
  readonly #lists = new Map<string, Promise<string[]>>();

  constructor(context: Pick<Context, 'store' | 'workspaces' | 'options'>) {
    this.#context = context;
  }

  /** Files of a task as its newest checkpoint has them, else of the project's newest commit. Never reads a worktree. */
  async of(project: Project, taskId: TaskId | undefined): Promise<string[]> {
    const { store, workspaces } = this.#context;
    const workspace = taskId && workspaceOf(store.board, getTask(store.board, taskId));
    const meta = workspace ? await workspaces.read(workspace.id) : null;
    if (meta?.last) return this.#list(workspaces.checkpointStore(project.id), meta.last.tree);
    return this.#list(project.gitDir, await newestCommit(project));
  }

  #list(gitDir: string, tree: string): Promise<string[]> {
    const known = this.#lists.get(tree);
    if (known) return known;
    const listing = outside({ gitDir, args: ['ls-tree', '-r', '-z', '--name-only', '--full-tree', tree], limit: BYTES }).then(
      ({ stdout }) => stdout.toString('utf8').split('\0').filter(Boolean).slice(0, MOST_PATHS),
    );
    this.#lists.set(tree, listing);
    listing.catch(() => this.#lists.delete(tree));
    for (const old of [...this.#lists.keys()].slice(0, -KEPT_TREES)) this.#lists.delete(old);
    return listing;
  }
}
