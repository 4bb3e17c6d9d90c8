import { createServer, type Server } from 'node:net';
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Probe } from '../../contract/settings.ts';
import type { Machine, Policy, SandboxDriver } from '../types.ts';

const POLICY: Policy = {
  mode: 'workspace',
  network: { allow: [] },
  limits: { processes: 256, memoryBytes: 4 * 1024 ** 3, fileBytes: 1024 ** 3 },
};

/** What tools are asked for their version, and how each is written for a person. */
const TOOLS: [command: string, label: string][] = [
  ['node --version', 'Node'],
  ['python3 --version', 'Python'],
  ['rustc --version', 'Rust'],
  ['go version', 'Go'],
  ['ruby --version', 'Ruby'],
  ['gcc -dumpfullversion', 'GCC'],
];

const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

/** One script, so that the trial costs few starts: prints `name ok` or `name no` for what must fail and what must work. */
function script(place: { outside: string; sibling: string; port: number; socket: string }): string {
  const refused = (name: string, ...attempts: string[]) =>
    `if ${attempts.map((attempt) => `{ ${attempt}; } 2>/dev/null`).join(' || ')}; then echo ${name} no; else echo ${name} ok; fi`;
  const works = (name: string, attempt: string) => `if ( ${attempt} ) >/dev/null 2>&1; then echo ${name} ok; else echo ${name} no; fi`;
  const secrets = [
    '.ssh',
    '.gnupg',
    '.aws',
    '.netrc',
    '.docker',
    '.kube',
    '.bash_history',
    '.git-credentials',
    '.local/share/keyrings',
    '.config/gh',
  ];
  return [
    refused('home', ...secrets.map((name) => `test -e "$HOME/${name}"`), `test -e /run/user`, 'cat /etc/shadow'),
    refused(
      'outside',
      `echo x > ${quote(join(place.outside, 'canary'))}`,
      'echo x > /usr/canary',
      'echo x > /etc/canary',
      'echo x > /canary',
    ),
    refused('sibling', `test -e ${quote(place.sibling)}`, 'cat /proc/1/environ', 'test -e /proc/1/root/usr'),
    refused(
      'network',
      `command -v bash >/dev/null && timeout 1 bash -c 'exec 3<>/dev/tcp/127.0.0.1/${place.port}'`,
      `test -e ${quote(place.socket)}`,
      "grep -v -e ' lo:' -e '|' /proc/net/dev | grep -q :",
    ),
    refused(
      'rights',
      'unshare --user true',
      'echo x > /proc/sys/kernel/core_pattern',
      'mount -t tmpfs none /tmp',
      "grep -q 'CapEff:.*[1-9a-f]' /proc/self/status",
      "grep -q 'Seccomp:.*0$' /proc/self/status",
    ),
    works(
      'git',
      'mkdir -p g && cd g && git init -q -b main . && git config user.name t && git config user.email t@t && echo 1 > a && git add a && git commit -qm one && git branch two && git rebase -q two',
    ),
    works('files', 't=$(mktemp) && echo x > "$t" && mkdir -p "$HOME/.cache" && test -w /dev/shm && test -c /dev/null'),
    // In files of their own: side by side, slow ones don't add up.
    ...TOOLS.map(
      ([command], index) => `(command -v ${command.split(' ')[0]} >/dev/null && timeout 5 ${command} > /tmp/v${index} 2>/dev/null) &`,
    ),
    'wait',
    ...TOOLS.map((_, index) => `echo "tool ${index} $(cat /tmp/v${index} 2>/dev/null)"`),
  ].join('\n');
}

const listen = (server: Server, at: { port: number; host: string } | string) =>
  new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(at, () => resolve());
  });

function versions(lines: string[]): string[] {
  return TOOLS.flatMap(([, label], index) => {
    const found = /(\d+\.\d+(?:\.\d+)?)/.exec(lines.find((line) => line.startsWith(`tool ${index} `))?.slice(7) ?? '');
    return found ? [`${label} ${found[1]?.split('.').slice(0, 2).join('.')}`] : [];
  });
}

const listed = (words: string[]) => (words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`);

async function terminalWorks(machine: Machine): Promise<boolean> {
  const terminal = await machine.run({ argv: ['/bin/sh', '-c', 'test -t 0 && stty size'], tty: { cols: 91, rows: 17 } });
  let text = '';
  terminal.onOutput((chunk) => {
    text += Buffer.from(chunk).toString();
  });
  const { code } = await terminal.exited;
  return code === 0 && text.includes('17 91');
}

function probesFrom(output: string, terminal: boolean, leaked: boolean): Probe[] {
  const lines = output.split('\n');
  const passed = (name: string) => lines.includes(`${name} ok`);
  const denies = (name: string, ok: boolean): Probe => ({
    name,
    ok,
    kind: 'denies',
    detail: ok ? 'blocked' : 'NOT blocked',
    fix: ok ? null : 'Do not run agents here, and report this with the output of `signalbox doctor`.',
  });
  const works = (name: string, ok: boolean, fix: string): Probe => ({
    name,
    ok,
    kind: 'works',
    detail: ok ? 'works' : 'fails',
    fix: ok ? null : fix,
  });
  const tools = versions(lines);
  return [
    denies('Can’t read your home folder, keys or keyrings', passed('home')),
    denies('Can’t write outside its own worktree', passed('outside') && !leaked),
    denies('Can’t see another task’s files or processes', passed('sibling')),
    denies('Can’t reach the network unless you allow a host', passed('network')),
    denies('Can’t gain rights or change its own sandbox', passed('rights')),
    works('Can commit, branch and rebase with git', passed('git'), 'sudo apt install git'),
    works(
      tools.length > 0
        ? `Can build with ${listed(tools.slice(0, 3))}`
        : 'Can build: no Node, Python, Rust, Go, Ruby or GCC found on your PATH',
      tools.length > 0,
      'Install the tools that your project needs; they are taken from your PATH.',
    ),
    works('Can open terminals and temporary files', terminal && passed('files'), 'Check that /dev/pts is mounted and /tmp is writable.'),
  ];
}

/** Runs the probes in a throwaway machine under `folder`. Throws what `open` throws. */
export async function trial(driver: SandboxDriver, folder: string): Promise<Probe[]> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const base = realpathSync(mkdtempSync(join(folder, 'trial-')));
  const at = (name: string) => join(base, name);
  for (const name of ['worktree', 'sibling', 'outside']) mkdirSync(at(name));
  writeFileSync(join(at('sibling'), 'secret'), 'another task');
  const [tcp, unix] = [createServer(), createServer()];
  let machine: Machine | undefined;
  try {
    await Promise.all([listen(tcp, { port: 0, host: '127.0.0.1' }), listen(unix, at('s'))]);
    const address = tcp.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    machine = await driver.open({ id: 'self-test', stateDir: at('state'), worktree: at('worktree'), binds: [], policy: POLICY, env: {} });
    const [told, terminal] = await Promise.all([
      machine.collect({ argv: ['/bin/sh', '-c', script({ outside: at('outside'), sibling: at('sibling'), port, socket: at('s') })] }),
      terminalWorks(machine),
    ]);
    return probesFrom(told.stdout.toString(), terminal, existsSync(join(at('outside'), 'canary')));
  } finally {
    await machine?.dispose();
    tcp.close();
    unix.close();
    rmSync(base, { recursive: true, force: true });
  }
}
