import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { tmpdir } from 'node:os';
import type { Mode, Project, ProjectId, WorkspaceId } from '../../agent-core/contract/index.ts';
import { createSandbox } from '../../agent-core/sandbox/index.ts';
import { newId } from '../../agent-core/support/ids.ts';
import { inspectFolder } from '../../agent-core/git/repository.ts';
import type { MachineSpec } from '../../agent-core/sandbox/types.ts';
import { Workspaces, type OpenWorkspace, type WorkspacesOptions } from '../../agent-core/workspace/index.ts';

const ENV = {
  PATH: process.env['PATH'] ?? '/usr/bin:/bin',
  LC_ALL: 'C',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  HOME: '/nonexistent',
  GIT_AUTHOR_NAME: 'Person',
  GIT_AUTHOR_EMAIL: 'person@example.com',
  GIT_COMMITTER_NAME: 'Person',
  GIT_COMMITTER_EMAIL: 'person@example.com',
};

/** Git as the person runs it in a shell of their own. */
export function git(cwd: string, ...args: string[]): string {
  return execFileSync('git', args, { cwd, env: ENV, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trimEnd();
}

export function put(root: string, files: Record<string, string | Buffer>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), content);
  }
}

/** Refuses what a driver without mounts must refuse. */
function inPlace(spec: MachineSpec): MachineSpec {
  for (const { source, target } of spec.binds) if (source !== target) throw new Error(`${source} can’t be shown at ${target}`);
  return spec;
}

/** A home, a repository and its workspaces, on real git and the real sandbox. */
export class World {
  readonly dir = realpathSync(mkdtempSync(join(tmpdir(), 'signalbox-ws-')));
  readonly home = join(this.dir, 'home');
  readonly repo: string;
  workspaces: Workspaces;
  /** False: as on a system that can't show files in another place (the git form without mounts). */
  mounts = true;
  #project: Project | null = null;

  constructor(
    name = 'a repo',
    files: Record<string, string> = { 'README.md': '# Hello\n', 'src/a.txt': 'one\ntwo\nthree\n', '.gitignore': 'node_modules/\n*.log\n' },
  ) {
    this.repo = join(this.dir, name);
    mkdirSync(this.home);
    mkdirSync(this.repo);
    git(this.repo, 'init', '-q', '-b', 'main');
    git(this.repo, 'config', 'user.name', 'Person');
    git(this.repo, 'config', 'user.email', 'person@example.com');
    put(this.repo, files);
    this.commit('first');
    this.workspaces = this.start();
  }

  /** Another core on the same home, as after a crash. */
  start(): Workspaces {
    const sandbox = createSandbox({ stateDir: join(this.home, 'sandbox'), env: { ...process.env, HOME: this.dir } });
    const plain: WorkspacesOptions['sandbox'] = {
      driver: (policy) => {
        const driver = sandbox.driver(policy);
        return { name: driver.name, mounts: false, open: (spec) => driver.open(inPlace(spec)) };
      },
    };
    this.workspaces = new Workspaces({
      home: this.home,
      sandbox: this.mounts ? sandbox : plain,
      worktreeRoot: () => join(this.home, 'worktrees'),
    });
    return this.workspaces;
  }

  commit(message: string, cwd = this.repo): string {
    git(cwd, 'add', '-A');
    git(cwd, 'commit', '-q', '--allow-empty', '-m', message);
    return git(cwd, 'rev-parse', 'HEAD');
  }

  async project(folder = this.repo): Promise<Project> {
    if (this.#project?.root === folder) return this.#project;
    const found = await inspectFolder(folder);
    this.#project = {
      id: newId<ProjectId>('proj'),
      name: 'Project',
      root: found.root,
      repo: found.repo,
      subdir: found.subdir,
      gitDir: found.gitDir,
      sample: false,
      openedAt: 0,
    };
    return this.#project;
  }

  async prepare(
    title = 'Fix it',
    more: { mode?: Mode; base?: { ref: string; kind: 'local' | 'remote' }; id?: WorkspaceId; inPlace?: boolean; folder?: string } = {},
  ): Promise<WorkspaceId> {
    const id = more.id ?? newId<WorkspaceId>('ws');
    await this.workspaces.prepare({
      workspaceId: id,
      project: await this.project(more.folder),
      title,
      base: more.base ?? { ref: 'main', kind: 'local' },
      mode: more.mode ?? 'workspace',
      ...(more.inPlace ? { inPlace: true } : {}),
    });
    return id;
  }

  async open(title?: string, more?: Parameters<World['prepare']>[1]): Promise<OpenWorkspace> {
    return this.workspaces.open(await this.prepare(title, more));
  }

  /** Goes on as on a system that has no mounts. */
  withoutMounts(): void {
    this.mounts = false;
    this.start();
  }

  async dispose(): Promise<void> {
    await this.workspaces.dispose();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** A shell line of the agent's, inside. */
export async function agent(workspace: OpenWorkspace, line: string): Promise<string> {
  const got = await workspace.machine.collect({ argv: ['/bin/sh', '-c', line] });
  if (got.code !== 0) throw new Error(`${line}: ${got.code}\n${got.stdout}\n${got.stderr}`);
  return got.stdout.toString('utf8').trimEnd();
}
