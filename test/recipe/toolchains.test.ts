import { chmodSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { createSandbox } from '../../agent-core/sandbox/index.ts';
import { miseTools } from '../../agent-core/sandbox/person/mise.ts';
import { findToolchains } from '../../agent-core/sandbox/person/toolchains.ts';
import type { Machine, Policy } from '../../agent-core/sandbox/types.ts';

const POLICY: Policy = {
  mode: 'workspace',
  network: { allow: [] },
  limits: { processes: 300, memoryBytes: 4 * 1024 ** 3, fileBytes: 1024 ** 3 },
};
const folders: string[] = [];
const machines: Machine[] = [];
afterEach(async () => {
  await Promise.all(machines.splice(0).map((machine) => machine.dispose()));
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A program, a link (`→ target`, from the folder it lies in), or a text. */
type Files = Record<string, string>;
const says = (text: string): string => `#!/bin/sh\necho ${text}\n`;
function install(root: string, files: Files): void {
  for (const [name, content] of Object.entries(files)) {
    const path = join(root, name);
    mkdirSync(dirname(path), { recursive: true });
    if (content.startsWith('→ ')) symlinkSync(content.slice(2).replace('$ROOT', root), path);
    else writeFileSync(path, content, { mode: content.startsWith('#!') ? 0o755 : 0o644 });
  }
}

interface Manager {
  name: string;
  files: Files;
  /** Folders on the person's PATH, in HOME. */
  path: string[];
  env?: Record<string, string>;
  /** What is run inside, and what it prints. */
  run: string;
  prints: string;
}

/** Installations as each manager lays them out, with programs that are found by way of its own shims and links. */
const managers: Manager[] = [
  {
    name: 'nvm',
    files: {
      '.nvm/versions/node/v22.1.0/bin/node': says('node of nvm'),
      '.nvm/versions/node/v22.1.0/lib/node_modules/npm/bin/npm-cli.js': says('npm of nvm'),
      '.nvm/versions/node/v22.1.0/bin/npm': '→ ../lib/node_modules/npm/bin/npm-cli.js',
    },
    path: ['.nvm/versions/node/v22.1.0/bin'],
    env: { NVM_DIR: '$HOME/.nvm' },
    run: 'node; npm; ls "$NVM_DIR"',
    prints: 'node of nvm\nnpm of nvm\nversions',
  },
  {
    name: 'fnm',
    files: {
      '.local/share/fnm/node-versions/v22.1.0/installation/bin/node': says('node of fnm'),
      '.local/state/fnm_multishells/12_34': '→ $ROOT/.local/share/fnm/node-versions/v22.1.0/installation',
    },
    path: ['.local/state/fnm_multishells/12_34/bin'],
    run: 'node',
    prints: 'node of fnm',
  },
  {
    name: 'volta',
    files: {
      '.volta/bin/volta-shim': '#!/bin/sh\nexec "$VOLTA_HOME/tools/image/node/22.1.0/bin/$(basename "$0")" "$@"\n',
      '.volta/bin/node': '→ volta-shim',
      '.volta/tools/image/node/22.1.0/bin/node': says('node of volta'),
    },
    path: ['.volta/bin'],
    env: { VOLTA_HOME: '$HOME/.volta' },
    run: 'node',
    prints: 'node of volta',
  },
  {
    name: 'pyenv',
    files: {
      '.pyenv/shims/python3': '#!/bin/sh\nexec "$PYENV_ROOT/libexec/pyenv" exec python3 "$@"\n',
      '.pyenv/libexec/pyenv': '#!/bin/sh\nexec "$PYENV_ROOT/versions/$(cat "$PYENV_ROOT/version")/bin/$2"\n',
      '.pyenv/version': '3.12.1\n',
      '.pyenv/versions/3.12.1/bin/python3': says('python of pyenv'),
    },
    path: ['.pyenv/shims'],
    env: { PYENV_ROOT: '$HOME/.pyenv' },
    run: 'python3',
    prints: 'python of pyenv',
  },
  {
    name: 'rustup',
    files: {
      '.cargo/bin/rustup': '#!/bin/sh\nexec "$HOME/.rustup/toolchains/stable/bin/$(basename "$0")"\n',
      '.cargo/bin/cargo': '→ rustup',
      '.rustup/toolchains/stable/bin/cargo': says('cargo of rustup'),
      '.cargo/credentials.toml': 'token = "secret"\n',
      '.cargo/config.toml': '[registry]\ntoken = "secret"\n',
    },
    path: ['.cargo/bin'],
    run: 'cargo; cat ~/.cargo/credentials.toml ~/.cargo/config.toml 2>/dev/null',
    prints: 'cargo of rustup',
  },
  {
    name: 'sdkman',
    files: {
      '.sdkman/candidates/java/21.0.2-tem/bin/java': says('java of sdkman'),
      '.sdkman/candidates/java/current': '→ 21.0.2-tem',
      '.sdkman/candidates/gradle/8.7/bin/gradle': says('gradle of sdkman'),
      '.sdkman/candidates/gradle/current': '→ 8.7',
    },
    path: ['.sdkman/candidates/java/current/bin', '.sdkman/candidates/gradle/current/bin'],
    env: { JAVA_HOME: '$HOME/.sdkman/candidates/java/current', SDKMAN_DIR: '$HOME/.sdkman' },
    run: 'java; gradle; "$JAVA_HOME/bin/java"',
    prints: 'java of sdkman\ngradle of sdkman\njava of sdkman',
  },
  {
    name: 'asdf',
    files: {
      '.asdf/shims/node': '#!/bin/sh\nexec asdf exec node\n',
      '.asdf/bin/asdf': '#!/bin/sh\nexec "$HOME/.asdf/installs/nodejs/$(sed -n "s/^nodejs //p" "$HOME/.tool-versions")/bin/$2"\n',
      '.asdf/installs/nodejs/22.1.0/bin/node': says('node of asdf'),
      '.tool-versions': 'nodejs 22.1.0\n',
    },
    path: ['.asdf/shims', '.asdf/bin'],
    env: { ASDF_DATA_DIR: '$HOME/.asdf' },
    run: 'node',
    prints: 'node of asdf',
  },
  {
    name: 'mise',
    files: {
      '.local/bin/mise': '#!/bin/sh\nexit 1\n',
      '.local/share/mise/shims/node': '→ ../../../bin/mise',
      '.local/share/mise/installs/node/22.1.0/bin/node': says('node of mise'),
      '.local/share/mise/installs/node/22': '→ ./22.1.0',
      '.config/mise/config.toml': '[env]\nTOKEN = "secret"\n[tools]\nnode = "22" # long-term\npython = ["3.12"]\n',
    },
    path: ['.local/share/mise/shims', '.local/bin'],
    run: 'node; cat ~/.config/mise/config.toml 2>/dev/null; echo "$TOKEN"',
    prints: 'node of mise',
  },
  {
    name: 'Homebrew in HOME',
    files: {
      '.linuxbrew/Cellar/jq/1.7/bin/jq': says('jq of brew'),
      '.linuxbrew/bin/jq': '→ ../Cellar/jq/1.7/bin/jq',
      '.linuxbrew/opt/jq': '→ ../Cellar/jq/1.7',
    },
    path: ['.linuxbrew/bin'],
    env: { HOMEBREW_PREFIX: '$HOME/.linuxbrew' },
    run: 'jq; "$HOMEBREW_PREFIX/opt/jq/bin/jq"',
    prints: 'jq of brew\njq of brew',
  },
  {
    name: 'uv tools by links',
    files: { '.local/bin/ruff': '→ $ROOT/.local/share/uv/tools/ruff/bin/ruff', '.local/share/uv/tools/ruff/bin/ruff': says('ruff of uv') },
    path: ['.local/bin'],
    run: 'ruff',
    prints: 'ruff of uv',
  },
  {
    name: 'an own CARGO_HOME with its tokens beside the programs',
    files: {
      'tools/cargo/bin/just': says('just'),
      'tools/cargo/credentials.toml': 'secret',
      'tools/cargo/registry/src/private.rs': 'secret',
      'tools/cargo/lib/x': 'x',
    },
    path: ['tools/cargo/bin'],
    run: 'just; cat ~/tools/cargo/credentials.toml ~/tools/cargo/registry/src/private.rs 2>/dev/null',
    prints: 'just',
  },
];

/** Where tools keep tokens; none of it is seen inside, whatever manager is shown. */
const SECRETS = [
  '.npmrc',
  '.cargo/credentials',
  '.m2/settings.xml',
  '.gradle/gradle.properties',
  '.netrc',
  '.pypirc',
  '.docker/config.json',
  '.aws/credentials',
  '.ssh/id_ed25519',
  '.config/gh/hosts.yml',
  '.gem/credentials',
  '.yarnrc.yml',
  '.config/pip/pip.conf',
];

async function open(base: string, home: string, env: Record<string, string>): Promise<Machine> {
  mkdirSync(join(base, 'worktree'), { recursive: true });
  const machine = await createSandbox({ stateDir: join(base, 'sandbox'), env: { HOME: home, SHELL: '/bin/true', ...env } })
    .driver(POLICY)
    .open({ id: 'tools', stateDir: join(base, 'state'), worktree: join(base, 'worktree'), binds: [], env: {}, policy: POLICY });
  machines.push(machine);
  return machine;
}
async function shell(machine: Machine, text: string): Promise<string> {
  const { stdout, stderr } = await machine.collect({ argv: ['/bin/sh', '-c', text] });
  return `${stdout.toString()}${stderr.toString()}`.trim();
}
function base(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'signalbox-tools-')));
  folders.push(folder);
  return folder;
}

describe('the person’s tools run inside, without their secrets', () => {
  test.each(managers)('$name', async ({ files, path, env = {}, run, prints }) => {
    const folder = base();
    const home = join(folder, 'person');
    install(home, files);
    for (const secret of SECRETS) if (!existsSync(join(home, secret))) install(home, { [secret]: 'secret' });
    const named = Object.fromEntries(Object.entries(env).map(([name, value]) => [name, value.replace('$HOME', home)]));
    const machine = await open(folder, home, { ...named, PATH: [...path.map((each) => join(home, each)), '/usr/bin', '/bin'].join(':') });
    expect(await shell(machine, run)).toBe(prints);
    expect(await shell(machine, `cd ~; cat ${SECRETS.join(' ')} 2>/dev/null | grep -c secret; grep -rl secret . 2>/dev/null | head`)).toBe(
      '0',
    );
    expect(
      await shell(
        machine,
        `for d in ${path.map((each) => `~/${each}`).join(' ')}; do [ -d "$d" ] && touch "$d/planted" 2>/dev/null && echo written; done; true`,
      ),
    ).toBe('');
    for (const each of path) expect(existsSync(join(home, each, 'planted')), relative(home, join(home, each))).toBe(false);
  });

  test('a folder of links outside everything that is shown stands for where it leads (fnm in /run, a profile of Nix)', async () => {
    const folder = base();
    const home = join(folder, 'person');
    install(home, { '.local/share/fnm/node-versions/v22/installation/bin/node': says('node of fnm') });
    // Like /run/user/1000/fnm_multishells: /tmp is another one inside.
    install(folder, { 'run/12_34': `→ ${join(home, '.local/share/fnm/node-versions/v22/installation')}` });
    const machine = await open(folder, home, { PATH: `${join(folder, 'run/12_34/bin')}:/usr/bin:/bin` });
    expect(await shell(machine, 'node')).toBe('node of fnm');
  });

  const root = process.getuid?.() === 0;
  test.skipIf(!root)('from /opt, without tokens that lie beside the programs (needs root to install there)', async () => {
    const opt = mkdtempSync('/opt/signalbox-test-');
    chmodSync(opt, 0o755);
    folders.push(opt);
    install(opt, {
      'bin/tool': '#!/bin/sh\n. "$(dirname "$0")/../lib/words"\n',
      'lib/words': 'echo tool of opt\n',
      'credentials.toml': 'secret',
      '.npmrc': 'secret',
    });
    const folder = base();
    const home = join(folder, 'person');
    mkdirSync(home);
    const machine = await open(folder, home, { PATH: `${opt}/bin:/usr/bin:/bin` });
    expect(await shell(machine, `tool; cat ${opt}/credentials.toml ${opt}/.npmrc 2>/dev/null`)).toBe('tool of opt');
  });

  test.skipIf(!root || existsSync('/nix'))(
    'Nix: a profile’s links lead into the store (needs root and a machine without Nix)',
    async () => {
      folders.push('/nix');
      install('/nix', {
        'store/abc-jq/bin/jq': says('jq of nix'),
        'store/def-profile/bin/jq': '→ /nix/store/abc-jq/bin/jq',
        'var/nix/profiles/default': '→ /nix/store/def-profile',
        'var/nix/secret': 'secret',
      });
      const folder = base();
      const home = join(folder, 'person');
      install(home, { '.nix-profile': '→ /nix/store/def-profile' });
      const machine = await open(folder, home, { PATH: `${home}/.nix-profile/bin:/usr/bin:/bin` });
      expect(await shell(machine, 'jq; cat /nix/var/nix/secret 2>/dev/null')).toBe('jq of nix');
      const other = await open(base(), home, { PATH: '/nix/var/nix/profiles/default/bin:/usr/bin:/bin' });
      expect(await shell(other, 'jq')).toBe('jq of nix');
    },
  );

  test.skipIf(!root || existsSync('/home/linuxbrew'))('Homebrew for all users (needs root and a machine without it)', async () => {
    folders.push('/home/linuxbrew');
    install('/home/linuxbrew/.linuxbrew', { 'Cellar/jq/1.7/bin/jq': says('jq of brew'), 'bin/jq': '→ ../Cellar/jq/1.7/bin/jq' });
    const folder = base();
    const home = join(folder, 'person');
    mkdirSync(home);
    const machine = await open(folder, home, { PATH: '/home/linuxbrew/.linuxbrew/bin:/usr/bin:/bin' });
    expect(await shell(machine, 'jq')).toBe('jq of brew');
  });
});

test('mise’s own configuration is read for its tools alone', () => {
  expect(
    miseTools(
      '[env]\nnode = "no"\n[tools]\nnode = "22"\n"npm:prettier" = "3"\npython = ["3.12", "3.11"]\nrust = { version = "1.80", profile = "x" }\n# go = "1"\n[settings]\nx = "y"\n',
    ),
  ).toEqual([
    ['node', '22'],
    ['npm:prettier', '3'],
    ['python', '3.12'],
    ['rust', '1.80'],
  ]);
});

test('HOME’s list of versions is shown with asdf, and without it not', () => {
  const home = base();
  install(home, { '.tool-versions': 'nodejs 22\n', '.asdf/shims/node': says('x'), '.nvm/bin/node': says('x') });
  expect(findToolchains({ PATH: join(home, '.asdf/shims') }, home)).toEqual([join(home, '.asdf'), join(home, '.tool-versions')]);
  expect(findToolchains({ PATH: join(home, '.nvm/bin') }, home)).toEqual([join(home, '.nvm')]);
});
