import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../contract/errors.ts';
import type { DiffFile, Landing, LandPreview, Mode } from '../contract/index.ts';
import type { Machine, MachineSpec, Policy, RunRequest, SandboxDriver, SandboxProcess } from '../sandbox/types.ts';
import { checkpoint, type Checkpoint } from '../git/checkpoint.ts';
import { restoreTree } from '../git/restore-tree.ts';
import { diffFiles, discardPatch, patch } from '../git/diff.ts';
import { harvestLfs } from '../git/lfs.ts';
import { harvest, importOutside } from '../git/harvest.ts';
import { parsePackedRefs, realHead, realRef, renderPackedRefs } from '../git/refs.ts';
import { outside, outsideText } from '../git/runner.ts';
import { refreshRefs } from '../git/session-store.ts';
import { replaceFile } from '../git/store-files.ts';
import { Guard, type Aside } from './guard/index.ts';
import { defaultPolicy, machineSpec } from './machine.ts';
import { Landings } from './landing.ts';
import { Lock } from './lock.ts';
import { metaStamp, takeNewer, writeMeta, type Meta, type Places } from './meta.ts';
import { snapPlace, storePlace } from './prepare.ts';

export interface OpenContext {
  places: Places;
  sandbox: SandboxDriver;
  /** Runs what a person let out of the fence. */
  unconfined: SandboxDriver;
  /** What a workspace may reach of the network now. */
  network: (id: Meta['id']) => Policy['network'];
  /** Whether an agent may write this folder. */
  isAgents: (folder: string) => boolean;
  /** Told of each file that host tools would have run, and that was set aside. */
  onAside?: (id: Meta['id'], aside: Aside) => Promise<void>;
  /** Such files, or folders, that the person lets stand. */
  allowedFiles?: (id: Meta['id']) => readonly string[];
}

/** What a turn's beginning brought in from outside. */
export interface TurnStart {
  /** The commit that the person put on the branch; null where they did nothing. */
  imported: string | null;
  /** Words for the agent about what changed under it; null where nothing did. */
  notice: string | null;
}

/** A workspace with its machine running. One for each workspace in a core; ended by `Workspaces.close`. */
export class OpenWorkspace {
  readonly #context: OpenContext;
  readonly #meta: Meta;
  readonly #confined: Machine;
  #free: Machine | null = null;
  /** Where commands run that a person let out one by one. What they leave running ends with the workspace. */
  #outside: Promise<Machine> | null = null;
  #policy: Policy;
  /** Harvest and import, one at a time. */
  readonly #refs = new Lock();
  /** Checkpoints, one at a time; they may run beside a harvest. */
  readonly #trees = new Lock();
  readonly #saving = new Lock();
  /** Which version of the record on disk is ours. */
  #written: string | null = null;
  readonly #landings: Landings;
  readonly #guard: Guard;
  #baseTree = '';
  /** Staged blobs that are in the repository. */
  readonly #known = new Set<string>();
  #baseKey = '';
  #closed = false;
  /** A change of mode that is still under way. */
  #changing: Promise<void> = Promise.resolve();

  constructor(context: OpenContext, meta: Meta, machine: Machine) {
    this.#context = context;
    this.#meta = meta;
    this.#confined = machine;
    this.#policy = machine.spec.policy;
    this.#landings = new Landings(this, meta, context);
    const { onAside, allowedFiles } = context;
    this.#guard = new Guard({
      places: context.places,
      meta,
      files: machine.files,
      baseTree: () => this.#baseTree,
      freshBase: async () => {
        await this.#harvest().catch(() => null);
        return this.#baseTree;
      },
      ...(onAside ? { report: (aside: Aside) => onAside(meta.id, aside) } : {}),
      ...(allowedFiles ? { allowed: () => allowedFiles(meta.id) } : {}),
    });
  }

  get info(): Readonly<Meta> {
    return this.#meta;
  }
  /** What the workspace runs in. In full mode it is the one that does not confine. */
  get machine(): Machine {
    return this.#free ?? this.#confined;
  }
  /** What git's own work runs in, always confined. */
  get confined(): Machine {
    return this.#confined;
  }
  get machineSpec(): MachineSpec {
    return this.machine.spec;
  }
  /** Where commands start: the folder of the project in the worktree. */
  get cwd(): string {
    return join(this.#meta.path, this.#meta.project.subdir);
  }
  /** The bare store whose trees `diff` takes. */
  get checkpoints(): string {
    return this.#context.places.checkpoints(this.#meta.project.id);
  }

  /** What keeps files that host tools run by themselves as the base has them. */
  get guard(): Guard {
    return this.#guard;
  }

  /** Takes out what an agent put where host tools would run it; returns what that was. With full access all stays. */
  async guardFiles(command = '', thorough = false): Promise<Aside[]> {
    return this.#free === null ? this.#guard.check(command, thorough) : [];
  }

  get #place() {
    return storePlace(this.#context.places, this.#meta, this.#known);
  }
  get #inPlace(): boolean {
    return this.#meta.kind === 'in-place';
  }

  /** Throws `conflict` once the workspace is closed: what is on disk then is another's to write. */
  async save(): Promise<void> {
    await this.#saving.run(async () => {
      if (this.#closed) throw new Failure('conflict', `The workspace ${this.#meta.slug} was closed meanwhile.`, { fix: 'Try again.' });
      await writeMeta(this.#context.places, this.#meta);
      this.#written = await metaStamp(this.#context.places, this.#meta.id);
    });
  }

  async #present(): Promise<void> {
    await this.#saving.run(async () => {
      this.#written = await takeNewer(this.#context.places, this.#meta, this.#written);
    });
    if (
      await stat(this.#meta.path).then(
        (found) => !found.isDirectory(),
        () => true,
      )
    ) {
      throw new Failure('worktree-missing', `The worktree ${this.#meta.path} is gone.`, {
        fix: 'Put the folder back, or delete the task.',
      });
    }
  }

  /** Before a turn: base refs that moved, and what the person did in the worktree, reach the agent's git. */
  async beginTurn(): Promise<TurnStart> {
    await this.#changing;
    return this.#refs.run(async () => {
      await this.#present();
      if (this.#inPlace) return { imported: null, notice: null };
      await this.#refreshBase();
      const started = await this.#import();
      await this.findBase();
      return started;
    });
  }

  async #refreshBase(): Promise<void> {
    const file = this.#context.places.seenRefs(this.#meta.id);
    const seen = parsePackedRefs(await readFile(file, 'utf8').catch(() => ''));
    const now = await refreshRefs(this.#place, seen);
    if (now !== null) await replaceFile(file, renderPackedRefs(now));
  }

  async #import(): Promise<TurnStart> {
    const { agreed } = this.#meta;
    if (agreed === null) return { imported: null, notice: null };
    const got = await importOutside(this.#confined, this.#place, agreed);
    if (got.agreed !== agreed) {
      this.#meta.agreed = got.agreed;
      await this.save();
    }
    if (got.commit === null) return { imported: null, notice: null };
    await this.#guard.trust(agreed.tip, got.commit);
    const short = got.commit.slice(0, 10);
    const notice =
      got.aside === null
        ? `The person moved the branch to ${short} from outside; it is checked out here now.`
        : `The person put other commits on the branch from outside (${short}). They are at ${got.aside.replace('refs/', '')}: merge or rebase onto them.`;
    return { imported: got.commit, notice };
  }

  /** A snapshot of every file that is not ignored. Throws `git-failed`, `disk-full`, `cannot-confine`, `worktree-missing`. */
  checkpoint(label: string): Promise<Checkpoint> {
    return this.#trees.run(async () => {
      await this.#present();
      await this.guardFiles();
      const { last } = this.#meta;
      const made = await checkpoint(this.#confined, snapPlace(this.#context.places, this.#meta), this.#meta.baseCommit, last, label);
      if (made !== last) {
        this.#meta.last = made;
        await this.save();
      }
      return made;
    });
  }

  /**
   * Makes the worktree's files those of a checkpoint's tree, of this workspace or of another of the project. Returns the
   * checkpoint of what was there before. Ignored files, HEAD and the branch stay. Idempotent.
   */
  restoreTree(tree: string, label: string): Promise<Checkpoint> {
    return this.#trees.run(async () => {
      await this.#present();
      const place = snapPlace(this.#context.places, this.#meta);
      const { baseCommit, last } = this.#meta;
      const before = await checkpoint(this.#confined, place, baseCommit, last, label);
      this.#meta.last = before;
      await this.save();
      await restoreTree(this.#confined, place, before, tree);
      return before;
    });
  }

  /** Brings HEAD as it is inside into the repository's branch. In place the repository is the person's own: nothing moves. */
  async harvest(): Promise<{ tip: string; moved: boolean; diverged: string | null }> {
    await this.#present();
    await this.guardFiles('', true);
    return this.#harvest();
  }

  #harvest(): Promise<{ tip: string; moved: boolean; diverged: string | null }> {
    return this.#refs.run(async () => {
      await this.#present();
      const { agreed } = this.#meta;
      if (this.#inPlace || agreed === null) return { tip: await this.#realTip(), moved: false, diverged: null };
      if (this.#free !== null) await this.#import();
      await this.bringLargeFiles();
      const got = await harvest(this.#confined, this.#place, this.#meta.agreed ?? agreed);
      if (got.submodules !== this.#place.submodules && got.submodules.length > 0) {
        this.#meta.submodules = [...got.submodules];
        await this.save();
      }
      if (got.moved || got.agreed.insideIndex !== agreed.insideIndex || got.agreed.tip !== agreed.tip) {
        this.#meta.agreed = got.agreed;
        await Promise.all([this.save(), this.findBase()]);
      }
      return { tip: got.tip, moved: got.moved, diverged: got.diverged };
    });
  }

  /** Large files of Git LFS that were added inside: into the person's store, before a commit that names them is there. */
  bringLargeFiles(): Promise<void> {
    const { places } = this.#context;
    return harvestLfs([this.#place.store, places.snap(this.#meta.id)], this.#meta.project.gitDir);
  }

  async #realTip(): Promise<string> {
    return (await realHead(this.#meta.project.gitDir, this.#meta.admin || null)).oid ?? this.#meta.baseCommit;
  }

  /** Files that changed between two trees. */
  diff(from: string, to: string): Promise<DiffFile[]> {
    return diffFiles(this.checkpoints, from, to);
  }

  /** Git's patch of the named files between two trees, at most `limit` bytes of it. */
  async patch({
    from,
    to,
    paths,
    ...options
  }: {
    from: string;
    to: string;
    paths: readonly string[];
    ignoreWhitespace?: boolean;
    limit?: number;
  }): Promise<{ patch: string; truncated: boolean }> {
    const files = await diffFiles(this.checkpoints, from, to);
    const renamed = new Map(files.filter((file) => file.oldPath !== null).map((file) => [file.path, file.oldPath as string]));
    return patch(this.checkpoints, { from, to, paths, renamed, ...options });
  }

  /** Takes a patch back out of the worktree, after a checkpoint. Throws `conflict` where it no longer fits. */
  async discard(text: string): Promise<void> {
    await this.checkpoint('Before a change was taken back');
    await discardPatch(this.#confined, this.#place, text);
  }

  /** Tree of the branch's newest commit: what uncommitted work is compared with. */
  async uncommittedTree(): Promise<string> {
    const { tip } = await this.harvest();
    return outsideText(this.#meta.project.gitDir, ['rev-parse', `${tip}^{tree}`]);
  }

  /** Tree that the task's work is compared with: where the branch left its base, as it was at the last turn's edge. */
  baseTree(): string {
    return this.#baseTree;
  }

  /** Looks again where the branch left its base. Called when either moved. */
  async findBase(): Promise<void> {
    const { gitDir } = this.#meta.project;
    const tip = this.#meta.agreed?.tip ?? this.#meta.baseCommit;
    const base = this.#meta.base.kind === 'local' && !this.#inPlace ? await realRef(gitDir, `refs/heads/${this.#meta.base.ref}`) : null;
    const key = `${base} ${tip}`;
    if (key === this.#baseKey) return;
    const fork =
      base === null || base === this.#meta.baseCommit
        ? null
        : await outside({ gitDir, args: ['merge-base', base, tip], answers: [1, 128] });
    const commit = fork?.code === 0 ? fork.stdout.toString('latin1').trim() : this.#meta.baseCommit;
    // Landed work is still shown: a branch that its base has caught up with is compared with where it began.
    this.#baseTree = await outsideText(gitDir, ['rev-parse', `${commit === tip ? this.#meta.baseCommit : commit}^{tree}`]);
    this.#baseKey = key;
  }

  landPreview(): Promise<LandPreview> {
    return this.#landings.preview();
  }

  /** The commit by which a landing that was cut off is in `into`, finished where only its last step was missing; null where it is not. */
  landedAs(into: string): Promise<string | null> {
    return this.#landings.landedAs(into);
  }

  /** Lands the final tree. Either all of it happens, or nothing outside the task's branch. */
  land(method: Landing['method'], message?: string): Promise<Landing> {
    return this.#landings.land(method, message);
  }

  /** Used by landing: takes in a commit that was made on the branch from outside. */
  importNow(): Promise<TurnStart> {
    return this.#refs.run(() => this.#import());
  }

  /** Runs one command that a person let out of the fence: on the real git directory, with harvest before and reseed after. */
  async runOutside(request: RunRequest): Promise<SandboxProcess> {
    await this.harvest();
    this.#outside ??= this.#context.unconfined.open({
      ...this.#confined.spec,
      id: `${this.#meta.id}-out`,
      binds: [],
      env: {},
      policy: { ...this.#policy, mode: 'full' },
    });
    const process = await (await this.#outside).run(request);
    const exited = process.exited.then(async (exit) => {
      if (!this.#inPlace) await this.importNow().catch(() => {});
      return exit;
    });
    return Object.create(process, { exited: { value: exited } }) as SandboxProcess;
  }

  /** Changes what the next turn's commands run under; done by the time `beginTurn` has answered. */
  setMode(mode: Mode): void {
    if (mode === this.#policy.mode) return;
    const changing = this.#changing.then(() => this.setPolicy(mode));
    changing.catch(() => {});
    this.#changing = changing;
  }

  /** Changes what the next commands run under. Full access works on the real git directory; what it did is taken in after. */
  async setPolicy(policy: Policy | Mode): Promise<void> {
    const next = typeof policy === 'string' ? { ...this.#policy, mode: policy } : policy;
    if (next.mode === 'full' && this.#free === null) {
      await this.harvest();
      this.#free = await this.#context.unconfined.open({
        ...this.#confined.spec,
        id: `${this.#meta.id}-free`,
        binds: [],
        env: {},
        policy: next,
      });
    } else if (next.mode !== 'full') {
      const free = this.#free;
      this.#free = null;
      await free?.dispose();
      if (free !== null && !this.#inPlace) await this.importNow();
      this.#confined.setPolicy({ ...next, network: this.#policy.network });
    }
    // Grants may have changed meanwhile.
    this.#policy = { ...next, network: this.#policy.network };
    this.#meta.mode = next.mode;
    await this.save();
  }

  /** Changes what the processes may reach from their next connection on; what is no longer granted is cut. */
  setNetwork(network: Policy['network']): void {
    this.#policy = { ...this.#policy, network };
    this.#confined.setPolicy({ ...this.#confined.spec.policy, network });
  }

  async dispose(): Promise<void> {
    await this.#free?.dispose();
    await (await this.#outside?.catch(() => null))?.dispose();
    await this.#confined.dispose();
    this.#closed = true;
    await this.#saving.run(async () => {});
  }
}

/** Opens the machine of a workspace that is ready. */
export async function openWorkspace(context: OpenContext, meta: Meta, started: Machine | null): Promise<OpenWorkspace> {
  if (
    await stat(meta.path).then(
      (found) => !found.isDirectory(),
      () => true,
    )
  ) {
    await started?.dispose();
    throw new Failure('worktree-missing', `The worktree ${meta.path} is gone.`, { fix: 'Put the folder back, or delete the task.' });
  }
  const confinedMode: Mode = meta.mode === 'full' ? 'workspace' : meta.mode;
  const machine = started ?? (await context.sandbox.open(await machineSpec(context.places, meta, defaultPolicy(confinedMode))));
  const opened = new OpenWorkspace(context, meta, machine);
  opened.setNetwork(context.network(meta.id));
  await opened.findBase();
  if (meta.kind !== 'worktree') await opened.guard.begin();
  if (meta.mode === 'full') await opened.setPolicy('full');
  return opened;
}
