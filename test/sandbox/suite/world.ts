import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSandbox } from '../../../agent-core/sandbox/index.ts';
import { Workspaces, type OpenWorkspace } from '../../../agent-core/workspace/index.ts';
import { git, put } from '../../workspace/world.ts';
import { watch } from '../helpers.ts';

/** A person's machine with secrets all over it, a repository with two linked worktrees, and a workspace in one of them. */
export class SuiteWorld {
  readonly dir = realpathSync(mkdtempSync(join(tmpdir(), 'signalbox-suite-')));
  readonly out = join(this.dir, 'outside');
  readonly person = join(this.dir, 'person');
  readonly repo = join(this.dir, 'code/repo');
  readonly worktree = join(this.dir, 'code/feature');
  readonly sibling = join(this.dir, 'code/other');
  readonly data = join(this.dir, 'data');
  readonly socket = join(this.dir, 'outside/socket');
  readonly abstract = `signalbox-suite-${process.pid}-${Date.now()}`;
  #servers: Server[] = [];
  /** Connections that reached the host. */
  reached = 0;
  port = 0;
  #workspaces: Workspaces;

  constructor() {
    mkdirSync(this.repo, { recursive: true });
    put(this.out, { 'secret.txt': 'CANARY-out\n' });
    put(this.person, {
      '.ssh/id_rsa': 'CANARY-ssh\n',
      '.aws/credentials': 'CANARY-aws\n',
      '.netrc': 'CANARY-netrc\n',
      '.npmrc': 'CANARY-npmrc\n',
      '.gitconfig': '[user]\n\tsigningKey = CANARY-gitconfig\n',
      '.bashrc': 'true # CANARY-bashrc\n',
    });
    put(this.data, { 'secrets.json': 'CANARY-secrets\n' });
    git(this.repo, 'init', '-q', '-b', 'main');
    for (const [key, value] of [
      ['user.name', 'Person'],
      ['user.email', 'p@example.com'],
      ['remote.origin.url', 'https://me:CANARY-url@example.com/x.git'],
      ['http.https://example.com/.extraheader', 'Authorization: CANARY-header'],
    ])
      git(this.repo, 'config', key as string, value as string);
    put(this.repo, { 'a.txt': 'hello\n', 'sub/b.txt': 'b\n', '.gitignore': '.env\n' });
    git(this.repo, 'add', '-A');
    git(this.repo, 'commit', '-qm', 'first');
    git(this.repo, 'worktree', 'add', '-q', '-b', 'feature', this.worktree);
    git(this.repo, 'worktree', 'add', '-q', '-b', 'other', this.sibling);
    put(this.repo, { '.env': 'CANARY-env\n', 'untracked.txt': 'CANARY-untracked\n' });
    put(this.sibling, { 'sibling.txt': 'CANARY-sibling\n' });
    this.#workspaces = this.#start();
  }

  #start(): Workspaces {
    const env = { ...process.env, HOME: this.person, OPENAI_API_KEY: 'CANARY-key', SSH_AUTH_SOCK: join(this.out, 'CANARY-agent') };
    return new Workspaces({
      home: this.data,
      sandbox: createSandbox({ stateDir: join(this.data, 'sandbox'), env }),
      worktreeRoot: () => join(this.data, 'worktrees'),
    });
  }

  async open(): Promise<OpenWorkspace> {
    const listen = (at: string | { port: number; host: string }) =>
      new Promise<Server>((resolve) => {
        const server = createServer((socket) => {
          this.reached++;
          socket.on('error', () => {});
          socket.end();
        });
        this.#servers.push(server);
        server.listen(at, () => resolve(server));
      });
    const address = (await listen({ port: 0, host: '::' }).catch(() => listen({ port: 0, host: '0.0.0.0' }))).address();
    this.port = typeof address === 'object' && address ? address.port : 0;
    await listen(this.socket);
    await listen(`\0${this.abstract}`);
    const meta = await this.#workspaces.adopt(this.worktree);
    return this.#workspaces.open(meta.id);
  }

  get env(): Record<string, string> {
    const addresses = Object.values(networkInterfaces())
      .flatMap((list) => list ?? [])
      .filter(({ family }) => family === 'IPv4')
      .map(({ address }) => address);
    return {
      OUT: this.out,
      REPO: this.repo,
      SIBLING: this.sibling,
      DATA: this.data,
      PERSON: this.person,
      PORT: String(this.port),
      SOCKET: this.socket,
      ABSTRACT: this.abstract,
      ADDRESSES: addresses.join(' '),
    };
  }

  /** Everything on the host that no command may change. */
  fingerprint(): Record<string, string> {
    const found: Record<string, string> = {};
    const visit = (path: string): void => {
      const stat = lstatSync(path);
      const shown = stat.isSymbolicLink()
        ? readlinkSync(path)
        : stat.isFile()
          ? createHash('sha1').update(readFileSync(path)).digest('hex')
          : '';
      found[path.slice(this.dir.length)] = `${stat.mode} ${shown}`;
      if (stat.isDirectory()) for (const name of readdirSync(path)) visit(join(path, name));
    };
    for (const path of [this.out, this.person, this.repo, this.sibling, join(this.worktree, '.git')]) visit(path);
    for (const name of [...readdirSync(this.dir), ...readdirSync(join(this.dir, 'code'))]) found[`name ${name}`] = '';
    return found;
  }

  async dispose(): Promise<void> {
    await this.#workspaces.dispose();
    for (const server of this.#servers) server.close();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** Runs a shell line in a workspace; everything it printed, and its code. */
export async function runLine(
  workspace: OpenWorkspace,
  line: string,
  more: { env?: Record<string, string>; tty?: boolean; seconds?: number } = {},
): Promise<{ code: number; text: string }> {
  const child = await workspace.confined.run({
    argv: ['bash', '-c', line],
    ...(more.env ? { env: more.env } : {}),
    ...(more.tty ? { tty: { cols: 100, rows: 30 } } : {}),
    signal: AbortSignal.timeout((more.seconds ?? 45) * 1000),
  });
  const seen = watch(child);
  if (!more.tty) child.endInput();
  const { code } = await child.exited;
  return { code, text: Buffer.from(seen.text(), 'latin1').toString('utf8') };
}
