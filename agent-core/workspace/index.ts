import { createHash } from 'node:crypto';
import { realpath, stat } from 'node:fs/promises';
import { sep } from 'node:path';
import { Failure } from '../contract/errors.ts';
import type { Mode, Project, WorkspaceId } from '../contract/index.ts';
import type { Machine, Policy, SandboxDriver } from '../sandbox/types.ts';
import { newId } from '../support/ids.ts';
import { adopt, onAnotherBranch } from './adopt.ts';
import { expiredTrash, expireStores, keepBranch, type Retention } from './expiry.ts';
import { Lock } from './lock.ts';
import { listMeta, Places, readMeta, type Meta } from './meta.ts';
import { openWorkspace, type OpenContext, type OpenWorkspace } from './open.ts';
import { prepare, undo, type PrepareRequest } from './prepare.ts';
import { moveBack, moveToTrash, purge, secure } from './trash.ts';

export type { Meta as WorkspaceMeta } from './meta.ts';
export type { PrepareRequest } from './prepare.ts';
export type { OpenWorkspace, TurnStart } from './open.ts';
export type { Aside } from './guard/index.ts';
import { defaultPolicy } from './machine.ts';

export { defaultPolicy };

export interface WorkspacesOptions {
  /** SIGNALBOX_HOME, absolute. */
  home: string;
  /** The person's HOME: then projects have package caches. None by default. */
  personHome?: string;
  /** Says which driver runs what: the confining one for all of git's own work, the other for what a person let out. */
  sandbox: { driver(policy: Policy): SandboxDriver };
  /** What a workspace may reach of the network, by the grants of the moment; nothing unless said. */
  network?: (id: WorkspaceId) => Policy['network'];
  /** Where new worktrees go; asked anew for each. `<home>/worktrees` unless a setting says otherwise. */
  worktreeRoot: () => string;
  /** See {@link OpenContext}. */
  onAside?: OpenContext['onAside'];
  allowedFiles?: OpenContext['allowedFiles'];
  /** Ends what else runs for a workspace that closes. */
  onClose?: (id: string) => Promise<void>;
}

export interface PreparedWorkspace {
  path: string;
  /** Short name, `signalbox/<slug>`; '' in place. */
  branch: string;
  slug: string;
  baseCommit: string;
}

const prepared = (meta: Meta): PreparedWorkspace => ({
  path: meta.path,
  branch: meta.branch.replace('refs/heads/', ''),
  slug: meta.slug,
  baseCommit: meta.baseCommit,
});

/** Every workspace of one home: made, opened, deleted, restored. What is on disk is the truth; each verb can be asked again after a crash. */
export class Workspaces {
  readonly #places: Places;
  readonly #options: WorkspacesOptions;
  readonly #open = new Map<string, Promise<OpenWorkspace>>();
  /** Those that are open by now, with the promise that others share. Changed only within the workspace's lock. */
  readonly #running = new Map<string, { workspace: OpenWorkspace; opening: Promise<OpenWorkspace> }>();
  readonly #repositories = new Map<string, Lock>();
  readonly #locks = new Map<string, Lock>();
  /** Machines that a preparation left running, for the first `open`. */
  readonly #started = new Map<string, Machine>();
  /** Folders that agents may write, by workspace. */
  #folders: Map<string, string> | null = null;

  constructor(options: WorkspacesOptions) {
    this.#options = options;
    this.#places = new Places(options.home, options.personHome ?? null);
  }

  /**
   * Makes the workspace, or returns the one that is there. Throws `base-not-found`, `fetch-failed`, `branch-taken`,
   * `cannot-confine`, `git-failed`, `disk-full`; then nothing is left behind. An abort throws the signal's reason.
   */
  prepare(request: PrepareRequest): Promise<PreparedWorkspace> {
    return this.#lock(request.workspaceId).run(async () => {
      const { meta, machine } = await prepare(
        {
          places: this.#places,
          sandbox: this.#confining(),
          worktreeRoot: this.#options.worktreeRoot,
          lockFor: (gitDir) => this.#repository(gitDir),
        },
        request,
      );
      if (machine !== null) {
        if (meta.mode === 'full') await machine.dispose();
        else this.#started.set(meta.id, machine);
      }
      (await this.#agentFolders()).set(meta.id, meta.path);
      return prepared(meta);
    });
  }

  /** The running workspace; opened at first, shared after. Throws `not-found`, `conflict`, `worktree-missing`, `cannot-confine`. */
  open(id: WorkspaceId): Promise<OpenWorkspace> {
    const shared = this.#open.get(id);
    if (shared !== undefined) return shared;
    const opening = this.#lock(id).run(async () => {
      const workspace = await this.#start(id);
      this.#running.set(id, { workspace, opening });
      return workspace;
    });
    this.#open.set(id, opening);
    opening.catch(() => {
      if (this.#open.get(id) === opening) this.#open.delete(id);
    });
    return opening;
  }

  async #start(id: WorkspaceId): Promise<OpenWorkspace> {
    const meta = await this.#must(id);
    if (meta.phase !== 'ready')
      throw new Failure('conflict', `The workspace ${meta.slug} is ${meta.phase}.`, {
        fix: meta.phase === 'trashed' ? 'Restore it first.' : 'Prepare it again.',
      });
    const machine = this.#started.get(id) ?? null;
    this.#started.delete(id);
    await this.#agentFolders();
    return openWorkspace(this.#context(), meta, machine);
  }

  /** The workspace if it runs at this moment; nothing is started for the answer. */
  running(id: WorkspaceId): OpenWorkspace | null {
    return this.#running.get(id)?.workspace ?? null;
  }

  /** Brings the network of a workspace that runs up to date with its grants. Done when it resolves; never rejects. */
  async regrant(id: WorkspaceId): Promise<void> {
    const open = await this.#open.get(id)?.catch(() => null);
    open?.setNetwork(this.#network(id));
  }

  /** Ends everything that runs in the workspace. Harmless where it is not open; the next `open` waits for it. */
  close(id: WorkspaceId): Promise<void> {
    this.#open.delete(id);
    return this.#lock(id).run(() => this.#close(id));
  }

  /** Within the workspace's lock. */
  async #close(id: WorkspaceId): Promise<void> {
    const running = this.#running.get(id);
    this.#running.delete(id);
    // One that is asked for by now, and waits for this to be over, stays.
    if (running !== undefined && this.#open.get(id) === running.opening) this.#open.delete(id);
    const left = this.#started.get(id);
    this.#started.delete(id);
    await Promise.all([left?.dispose(), this.#options.onClose?.(id)]);
    await running?.workspace.dispose();
  }

  /**
   * Checkpoint, verify, end what runs, and the folder itself moves to the trash. Throws rather than lose anything.
   * A folder that Signalbox did not make (adopted, or in place) stays where it is: only the workspace is put away.
   */
  async trash(id: WorkspaceId): Promise<void> {
    const meta = await this.#must(id);
    if (meta.phase === 'trashed') return;
    // Where the folder is gone already there is nothing to lose: the branch and the last checkpoint stay.
    const there = await stat(meta.path).then(
      (found) => found.isDirectory(),
      () => false,
    );
    if (meta.phase === 'ready' && there) await secure(await this.open(id));
    // In one go: who asks to open it meanwhile waits, and hears that it is in the trash.
    await this.#lock(id).run(async () => {
      await this.#close(id);
      await moveToTrash(this.#places, await this.#must(id));
    });
  }

  /** Everything back as it was, ignored files included. Throws `conflict` where its place is taken. */
  async restore(id: WorkspaceId): Promise<void> {
    await this.#lock(id).run(async () => {
      const meta = await this.#must(id);
      if (meta.phase === 'preparing')
        throw new Failure('conflict', `The workspace ${meta.slug} was never finished.`, { fix: 'Prepare it again.' });
      if (meta.phase !== 'ready') await moveBack(this.#places, meta);
    });
  }

  /** For good: worktree, trash, checkpoints, hidden refs, and the branch where the person did not move it. */
  async purge(id: WorkspaceId): Promise<void> {
    await this.#lock(id).run(async () => {
      await this.#close(id);
      const meta = await readMeta(this.#places, id);
      if (meta === null) return;
      await (meta.phase === 'preparing' ? undo(this.#places, meta) : purge(this.#places, meta));
      this.#folders?.delete(id);
    });
  }

  /** Workspaces in the trash that may go now and lose nothing by it, oldest first. */
  async expired(retention: Retention, now: number): Promise<WorkspaceId[]> {
    return (await expiredTrash(this.#places, retention, now)).map(({ id }) => id);
  }

  /** Before one is purged by age: its branch stays where no other has its commits. */
  keepBranch(id: WorkspaceId): Promise<void> {
    return this.#lock(id).run(async () => keepBranch(this.#places, await this.#must(id)));
  }

  /** Lets go of checkpoints that are past their time, and of those of workspaces that are gone. Returns how many went. */
  expireCheckpoints(retention: Retention, keep: ReadonlySet<string>, now: number): Promise<number> {
    return expireStores(this.#places, retention, keep, now);
  }

  /** The workspace that a folder lies in, or null. */
  async locate(dir: string): Promise<Meta | null> {
    const real = await realpath(dir).catch(() => dir);
    const found = (await this.list()).filter(
      (meta) => meta.kind !== 'in-place' && (real === meta.path || real.startsWith(meta.path + sep)),
    );
    return found.toSorted((a, b) => b.path.length - a.path.length)[0] ?? null;
  }

  /** Makes a workspace of a linked worktree that Signalbox did not make; the same one when asked again. */
  async adopt(dir: string, mode: Mode = 'workspace'): Promise<Meta> {
    const known = await this.locate(dir);
    if (known !== null && known.phase === 'ready' && (known.kind !== 'adopted' || !(await onAnotherBranch(this.#places, known))))
      return known;
    if (this.#confining().mounts === false)
      throw new Failure('cannot-confine', `${dir} is a worktree that Signalbox did not make; its git can’t be kept apart on this system.`, {
        fix: 'Start a task from its branch instead.',
      });
    if (known?.kind === 'adopted') await this.purge(known.id);
    const id = known?.id ?? newId<WorkspaceId>('ws');
    return this.#lock(id).run(async () => {
      const hash = BigInt(
        `0x${createHash('sha256')
          .update(await realpath(dir))
          .digest('hex')
          .slice(0, 24)}`,
      ).toString(36);
      const meta = await adopt(this.#places, dir, { id, projectId: `proj_${hash.padStart(10, '0')}` as Project['id'], mode });
      (await this.#agentFolders()).set(id, meta.path);
      return meta;
    });
  }

  list(): Promise<Meta[]> {
    return listMeta(this.#places);
  }

  /** The bare store of a project's checkpoints. */
  checkpointStore(projectId: Project['id']): string {
    return this.#places.checkpoints(projectId);
  }

  /** One workspace's record, or null. */
  read(id: WorkspaceId): Promise<Meta | null> {
    return readMeta(this.#places, id);
  }

  async dispose(): Promise<void> {
    await Promise.all([...new Set([...this.#open.keys(), ...this.#started.keys()])].map((id) => this.close(id as WorkspaceId)));
  }

  #network(id: WorkspaceId): Policy['network'] {
    return this.#options.network?.(id) ?? { allow: [] };
  }

  #confining(): SandboxDriver {
    return this.#options.sandbox.driver(defaultPolicy('workspace'));
  }

  #context(): OpenContext {
    return {
      places: this.#places,
      sandbox: this.#confining(),
      unconfined: this.#options.sandbox.driver(defaultPolicy('full')),
      network: (id) => this.#network(id),
      isAgents: (folder) => [...(this.#folders?.values() ?? [])].includes(folder),
      ...(this.#options.onAside ? { onAside: this.#options.onAside } : {}),
      ...(this.#options.allowedFiles ? { allowedFiles: this.#options.allowedFiles } : {}),
    };
  }

  async #agentFolders(): Promise<Map<string, string>> {
    // A checkout that a task works in in place stays the person's own: git there is what they asked for.
    this.#folders ??= new Map((await this.list()).filter((meta) => meta.kind !== 'in-place').map((meta) => [meta.id, meta.path]));
    return this.#folders;
  }

  async #must(id: WorkspaceId): Promise<Meta> {
    const meta = await readMeta(this.#places, id);
    if (meta === null) throw new Failure('not-found', `There is no workspace ${id}.`);
    return meta;
  }

  #lock(id: string): Lock {
    return (this.#locks.has(id) ? this.#locks : this.#locks.set(id, new Lock())).get(id) as Lock;
  }

  #repository(gitDir: string): Lock {
    return (this.#repositories.has(gitDir) ? this.#repositories : this.#repositories.set(gitDir, new Lock())).get(gitDir) as Lock;
  }
}
