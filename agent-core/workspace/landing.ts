import { Failure } from '../contract/errors.ts';
import type { Landing, LandPreview } from '../contract/index.ts';
import { finishLanding, landBranch, previewLanding } from '../git/land.ts';
import { diffFiles } from '../git/diff.ts';
import { identityOf } from '../git/repository.ts';
import { isAncestor, receivePack } from '../git/transfer.ts';
import { readTreeOutside } from '../git/harvest.ts';
import { hashLength } from '../git/index-file.ts';
import { realRef } from '../git/refs.ts';
import { dirtySubmodules, foreignLinks } from '../git/submodules.ts';
import { outside, outsideText } from '../git/runner.ts';
import { moveRefs } from '../git/worktree.ts';
import type { Meta } from './meta.ts';
import type { OpenContext, OpenWorkspace } from './open.ts';
import { storePlace } from './prepare.ts';

/** Landing of one workspace: what is landed is the tree that was shown, not what an agent's settings make of it. */
export class Landings {
  readonly #workspace: OpenWorkspace;
  readonly #meta: Meta;
  readonly #context: OpenContext;

  constructor(workspace: OpenWorkspace, meta: Meta, context: OpenContext) {
    this.#workspace = workspace;
    this.#meta = meta;
    this.#context = context;
  }

  async preview(): Promise<LandPreview> {
    const { gitDir } = this.#meta.project;
    const { tip, tree, uncommitted } = await this.#final();
    // The merge is tried in the checkpoint store: the person's repository gets no objects from looking.
    const commit = uncommitted === 0 ? tip : await this.#commitIn(this.#workspace.checkpoints, tree, tip);
    const request = { ...(await this.#request(commit)), gitDir, objects: this.#workspace.checkpoints, committed: tip };
    const [preview, hostRun] = await Promise.all([previewLanding(request, uncommitted), this.#hostRun(tip, tree)]);
    const blocked = preview.blocked ?? (await this.#submodulesReason(tree));
    return { ...preview, blocked, ...(hostRun.length ? { hostRun } : {}) };
  }

  /** What would land, at any depth, that tools of the person run by themselves: in the final tree, and in what is committed. */
  async #hostRun(tip: string, tree: string): Promise<NonNullable<LandPreview['hostRun']>> {
    const base = this.#workspace.baseTree();
    const committed = await outsideText(this.#meta.project.gitDir, ['rev-parse', `${tip}^{tree}`]);
    const trees = [...new Set([tree, committed])];
    const changed = await Promise.all(trees.map((each) => diffFiles(this.#workspace.checkpoints, base, each)));
    const paths = new Set(changed.flat().flatMap((file) => (file.status === 'deleted' ? [] : [file.path])));
    const found = [...paths].toSorted().map(async (path) => ({ path, why: await this.#workspace.guard.hostRun(path) }));
    return (await Promise.all(found)).flatMap(({ path, why }) => (why ? [{ path, why }] : []));
  }

  /** Why submodules can't be landed as they are, or null. */
  async #submodulesReason(tree: string): Promise<string | null> {
    const { checkpoints, confined } = this.#workspace;
    const { submodules = [] } = this.#meta;
    const foreign = await foreignLinks(checkpoints, this.#workspace.baseTree(), tree, submodules);
    if (foreign.length > 0)
      return `${foreign.join(', ')} ${foreign.length === 1 ? 'is a repository' : 'are repositories'} of the agent’s own, whose commits nobody else has: remove the .git in it, or leave it out.`;
    const dirty = await dirtySubmodules(confined, storePlace(this.#context.places, this.#meta), submodules);
    return dirty.length === 0 ? null : `${dirty.join(', ')} has changes that are not committed in the submodule: commit them there first.`;
  }

  async land(method: Landing['method'], message: string | undefined): Promise<Landing> {
    const { tip, tree, uncommitted } = await this.#final();
    const into = await this.#into();
    const preview = await this.preview();
    if (preview.blocked !== null) throw blockedFailure(preview);
    // What an earlier landing left must not stand for this one after a crash.
    this.#meta.landing = null;
    await this.#workspace.save();
    const last = uncommitted === 0 ? tip : await this.#commitRest(tree, tip, message ?? this.#meta.title);
    const title = message ?? (method === 'merge' ? `Merge branch '${this.#short}'\n\n${this.#meta.title}` : this.#meta.title);
    const commit = await landBranch({
      ...(await this.#request(last)),
      method,
      message: title,
      onCommit: async (made, from) => {
        this.#meta.landing = { into, commit: made, from };
        await this.#workspace.save();
      },
    });
    return { method, into, commit, at: Date.now() };
  }

  /** What a landing that was cut off came to: the commit that is in the base now, null when nothing happened. */
  async landedAs(into: string): Promise<string | null> {
    const { landing, project } = this.#meta;
    if (landing === null || landing.into !== into) return null;
    await finishLanding(await this.#request(landing.commit), landing.from, landing.commit);
    return (await isAncestor(project.gitDir, landing.commit, `refs/heads/${into}`)) ? landing.commit : null;
  }

  get #short(): string {
    return this.#meta.branch.replace('refs/heads/', '');
  }

  /** The branch's newest commit, the tree on disk, and how many files only the latter has. */
  async #final(): Promise<{ tip: string; tree: string; uncommitted: number }> {
    if (this.#meta.kind === 'in-place')
      throw new Failure('conflict', 'This task works in your own checkout: its changes are there already.', {
        fix: 'Commit them yourself.',
      });
    const [{ tip, diverged }, { tree }] = await Promise.all([this.#workspace.harvest(), this.#workspace.checkpoint('Before landing')]);
    if (diverged !== null)
      throw new Failure(
        'conflict',
        `Your commits on ${this.#short} and the agent’s went different ways; the agent’s are on ${diverged.replace('refs/heads/', '')}.`,
        { fix: 'Ask the agent to merge yours, then land.' },
      );
    const head = await outsideText(this.#meta.project.gitDir, ['rev-parse', `${tip}^{tree}`]);
    const uncommitted = head === tree ? 0 : (await diffFiles(this.#workspace.checkpoints, head, tree)).length;
    return { tip, tree, uncommitted };
  }

  async #request(tip: string) {
    const { gitDir } = this.#meta.project;
    return { gitDir, tip, branch: this.#short, into: await this.#into(), who: await identityOf(gitDir), isAgents: this.#context.isAgents };
  }

  /** The local branch that the task started from, or the local one of its remote base's name. */
  async #into(): Promise<string> {
    const { gitDir } = this.#meta.project;
    const { ref, kind } = this.#meta.base;
    const names = kind === 'local' ? [ref] : [ref.slice(ref.indexOf('/') + 1), ref];
    for (const name of names) {
      if (name !== 'HEAD' && (await realRef(gitDir, `refs/heads/${name}`)) !== null) return name;
    }
    throw new Failure('conflict', `The task started from ${ref}, which is no local branch: there is nothing to land into.`, {
      fix: `Make a branch, or merge ${this.#short} yourself.`,
    });
  }

  async #commitIn(gitDir: string, tree: string, parent: string, message = this.#meta.title): Promise<string> {
    const { name, email } = await identityOf(this.#meta.project.gitDir);
    const env = { GIT_AUTHOR_NAME: name, GIT_AUTHOR_EMAIL: email, GIT_COMMITTER_NAME: name, GIT_COMMITTER_EMAIL: email };
    return outsideText(gitDir, ['commit-tree', tree, '-p', parent, '-F', '-'], { env, input: `${message}\n` });
  }

  /** Uncommitted work becomes the branch's last commit: the checkpoint's own tree, brought from the store. */
  async #commitRest(tree: string, tip: string, message: string): Promise<string> {
    const { gitDir } = this.#meta.project;
    const pack = await outside({
      gitDir: this.#workspace.checkpoints,
      args: ['pack-objects', '--quiet', '--revs', '--thin', '--stdout'],
      input: `${tree}\n^${tip}^{tree}\n`,
    });
    await Promise.all([receivePack(gitDir, pack.stdout), this.#workspace.bringLargeFiles()]);
    const commit = await this.#commitIn(gitDir, tree, tip, message);
    await moveRefs(gitDir, [[this.#meta.branch, commit, tip]]);
    await readTreeOutside(storePlace(this.#context.places, this.#meta), tree, hashLength(tip));
    await this.#workspace.importNow();
    return commit;
  }
}

function blockedFailure(preview: LandPreview): Failure {
  const message = preview.blocked ?? '';
  if (preview.conflicts.length > 0) {
    return new Failure('merge-conflict', `${message} ${preview.conflicts.join(', ')}`, {
      fix: `Ask the agent to bring in ${preview.into} and to solve the conflicts, then land again.`,
      output: preview.conflicts.join('\n'),
    });
  }
  if (/nothing to land/.test(message)) return new Failure('nothing-to-land', message);
  if (/where a task works|agent’s own|in the submodule/.test(message)) return new Failure('conflict', message);
  return new Failure('dirty-checkout', message, { fix: 'Commit or stash them, then land again.' });
}
