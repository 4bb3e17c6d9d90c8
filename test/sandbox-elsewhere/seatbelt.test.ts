import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createSeatbeltDriver, hasSeatbelt } from '../../agent-core/sandbox/drivers/seatbelt/index.ts';
import { anyCase, kernelPath, quoted } from '../../agent-core/sandbox/drivers/seatbelt/paths.ts';
import { seatbeltEnvironment, seatbeltProfile, type SeatbeltFrame } from '../../agent-core/sandbox/drivers/seatbelt/profile.ts';
import type { Policy, RunRequest } from '../../agent-core/sandbox/types.ts';

const WORKTREE = '/Users/ada/code/work';
const STORE = '/Users/ada/Library/Application Support/Signalbox/workspaces/ws_1/git';

function frame(mode: Policy['mode'] = 'workspace', more: Partial<SeatbeltFrame> = {}, worktree = WORKTREE): SeatbeltFrame {
  return {
    spec: {
      id: 'ws_1',
      stateDir: '/Users/ada/Library/Application Support/Signalbox/workspaces/ws_1/state',
      worktree,
      binds: [
        { source: STORE, target: STORE, access: 'write' },
        { source: `${STORE}/hooks`, target: `${STORE}/hooks`, access: 'read' },
        { source: `${worktree}/.git`, target: `${worktree}/.git`, access: 'read' },
      ],
      policy: { mode, network: { allow: [] }, limits: {} },
      env: {},
    },
    toolchains: ['/opt/homebrew'],
    developer: '/Applications/Xcode.app/Contents/Developer',
    proxyPort: null,
    ...more,
  };
}

const profile = (at: SeatbeltFrame, request: Pick<RunRequest, 'access' | 'binds'> = {}): string => seatbeltProfile(at, request);

interface Rule {
  verb: 'allow' | 'deny';
  operations: string[];
  filters: string[];
}

/** Reads a profile as its language says: lists of words and strings. Throws where a name broke out of its string. */
function parse(text: string): Rule[] {
  const tokens = text.match(/#?"(?:\\[^]|[^"\\])*"|[()]|[^\s()"]+/g) ?? [];
  expect(tokens.join('').replaceAll(/\s/g, '')).toBe(text.replaceAll(/\s/g, ''));
  let at = 0;
  const list = (): unknown[] => {
    const items: unknown[] = [];
    for (; tokens[at] !== ')'; at++) {
      if (at >= tokens.length) throw new Error('a list has no end');
      if (tokens[at] === '(') {
        at++;
        items.push(list());
      } else items.push(tokens[at]);
    }
    return items;
  };
  const rules: Rule[] = [];
  for (; at < tokens.length; at++) {
    if (tokens[at] !== '(') throw new Error(`a word outside: ${tokens[at]}`);
    at++;
    const [verb, ...rest] = list() as [Rule['verb'], ...unknown[]];
    rules.push({
      verb,
      operations: rest.filter((item) => typeof item === 'string') as string[],
      filters: rest.filter((item) => Array.isArray(item)).map((item) => JSON.stringify(item)),
    });
  }
  return rules;
}

/** What the last rule that fits says of writing a path: subpaths and expressions, as the kernel reads them. */
function mayWrite(text: string, path: string): boolean {
  let allowed = false;
  for (const { verb, operations, filters } of parse(text)) {
    if (!operations.includes('file-write*')) continue;
    const fits = filters.some((filter) => {
      const [kind, argument] = JSON.parse(filter) as [string, unknown];
      if (typeof argument !== 'string') return false;
      if (kind === 'regex') return new RegExp(argument.slice(2, -1)).test(path);
      const folder = argument.slice(1, -1).replaceAll(/\\(.)/g, '$1');
      return path === folder || (kind === 'subpath' && path.startsWith(`${folder}/`));
    });
    if (fits) allowed = verb === 'allow';
  }
  return allowed;
}

test('what is not named is refused, in every mode, and full access has no profile', () => {
  for (const mode of ['read-only', 'workspace', 'ask'] as const) {
    const text = profile(frame(mode));
    expect(text.startsWith('(version 1)\n(deny default)\n')).toBe(true);
    const rules = parse(text);
    // No rule without a filter but for making processes and terminals of one's own.
    const open = rules.filter(({ verb, filters }) => verb === 'allow' && filters.length === 0).flatMap(({ operations }) => operations);
    expect(open.toSorted()).toEqual(['ipc-posix-sem', 'process-exec', 'process-fork', 'pseudo-tty']);
    expect(text).not.toMatch(/allow (?:default|file-link|network\*|mach-lookup\)|sysctl-read\)|iokit|appleevent|job-creation)/);
    expect(text).not.toMatch(/SecurityServer|keychain|pasteboard|launchservicesd|windowserver|kern\.proc/i);
  }
  expect(() => profile(frame('full'))).toThrow(/no profile/);
});

test('the worktree may be written, the pointer and the hooks in it may not, and nothing beside it', () => {
  const text = profile(frame());
  for (const path of [`${WORKTREE}/src/a.c`, `${STORE}/refs/heads/x`, `${frame().spec.stateDir}/tmp/x`])
    expect(mayWrite(text, path), path).toBe(true);
  for (const path of [
    `${WORKTREE}/.git`,
    `${WORKTREE}/.GIT`,
    `${STORE}/hooks`,
    `${STORE}/hooks/post-checkout`,
    `${STORE}/HOOKS/post-checkout`,
    `${WORKTREE}-other/x`,
    '/Users/ada/.ssh/config',
    '/Users/ada/code/other',
    '/private/tmp/x',
    '/opt/homebrew/bin/git',
    '/Applications/Xcode.app/Contents/Developer/usr/bin/git',
    '/private/var/folders/ab/cd/T/xcrun_db',
    '/usr/local/bin/x',
  ])
    expect(mayWrite(text, path), path).toBe(false);
  expect(mayWrite(text, `${WORKTREE}/.github/x`)).toBe(true);
});

test('looking only: nothing but the private folders may be written; what a run of ours asks for by name may', () => {
  for (const text of [profile(frame('read-only')), profile(frame('workspace'), { access: 'read' })]) {
    expect(mayWrite(text, `${WORKTREE}/src/a.c`)).toBe(false);
    expect(mayWrite(text, `${STORE}/refs/heads/x`)).toBe(false);
    expect(mayWrite(text, `${frame().spec.stateDir}/home/x`)).toBe(true);
  }
  const snap = { source: '/Users/ada/snap', target: '/Users/ada/snap', access: 'write' as const };
  expect(mayWrite(profile(frame('read-only'), { binds: [snap] }), '/Users/ada/snap/index')).toBe(true);
});

test('nothing of the person’s may be read: HOME itself, keys, other projects, Library, other terminals', () => {
  const text = profile(frame());
  const read = parse(text).filter(({ verb, operations }) => verb === 'allow' && operations.includes('file-read*'));
  const folders = read.flatMap(({ filters }) => filters).filter((filter) => filter.includes('"subpath"'));
  expect(folders.filter((filter) => /Users/.test(filter)).every((filter) => /code\/work|Signalbox/.test(filter))).toBe(true);
  expect(folders.some((filter) => /"\\"\/(?:Library|Users|private|private\/var|Volumes|dev|System)\\""/.test(filter))).toBe(false);
  // Terminals only by the mark that the kernel gives to those which the command opened itself.
  expect(text).toContain('(require-all (regex #"^/dev/ttys[0-9]+$") (extension "com.apple.sandbox.pty"))');
  expect(text).toContain('(literal "/Users/ada/code")');
});

test('the network is one port of the loopback, and certificates are judged only where there is one', () => {
  const closed = profile(frame());
  expect(closed).not.toMatch(/remote ip|trustd/);
  const open = profile(frame('workspace', { proxyPort: 50123 }));
  expect(open.match(/remote ip "[^"]*"/g)).toEqual(['remote ip "localhost:50123"']);
  expect(open).toContain('(global-name "com.apple.trustd.agent")');
  for (const port of [0, 65536, 1.5, Number.NaN]) expect(() => profile(frame('workspace', { proxyPort: port }))).toThrow(/no port/);
});

test.each([
  ['quotes', '/Users/a"b/w'],
  ['parentheses', '/Users/a) (allow default/w'],
  ['a quote that begins a rule', '/Users/x") (allow file-write* (subpath "/'.replace(/\/$/, '')],
  ['backslashes', '/Users/a\\b\\/w'],
  ['a backslash at the end', '/Users/a/w\\'],
  ['a semicolon', '/Users/a;b/w'],
  ['metacharacters', '/Users/a.*+?[x]{1}|^$/w'],
  ['a hash and a quote', '/Users/#"x/w'],
  ['letters beyond ASCII', '/Users/ünï 日本/w'],
])('a path with %s names itself and nothing else', (_, path) => {
  const text = profile(frame('workspace', {}, path));
  const rules = parse(text);
  expect(rules.filter(({ operations }) => operations[0] === 'default')).toHaveLength(1);
  expect(mayWrite(text, `${path}/a`)).toBe(true);
  expect(mayWrite(text, `${path}/.git`)).toBe(false);
  expect(mayWrite(text, `${path}/.GIT/x`)).toBe(false);
  expect(mayWrite(text, '/Users/other')).toBe(false);
  expect(mayWrite(text, '/Users/axx/w/a')).toBe(false);
  expect(text).toContain(`(subpath ${quoted(path)})`);
});

test.each(['/a\nb', '/a\rb', '/a\0b', '/a\u001b[31mb', 'relative', '/a/../b', '/a/./b'])(
  'a path that no rule can hold is refused: %j',
  (path) => {
    expect(() => profile(frame('workspace', {}, path))).toThrow(/cannot|control|whole path/);
  },
);

test('names of the kernel: links at the root, the data volume, doubled and trailing slashes', () => {
  expect(
    [
      '/tmp/x',
      '/var/folders/a',
      '/etc',
      '/private/tmp/x',
      '/tmpfoo',
      '/System/Volumes/Data/Users/ada',
      '/System/Volumes/Data/private/tmp',
      '/System/Volumes/Data/home',
      '/a//b/',
      '/',
    ].map(kernelPath),
  ).toEqual([
    '/private/tmp/x',
    '/private/var/folders/a',
    '/private/etc',
    '/private/tmp/x',
    '/tmpfoo',
    '/Users/ada',
    '/private/tmp',
    '/System/Volumes/Data/home',
    '/a/b',
    '/',
  ]);
  expect(mayWrite(profile(frame('workspace', {}, '/tmp/w')), '/private/tmp/w/x')).toBe(true);
  expect(anyCase('/a.b')).toBe('(regex #"^/[aA][.][bB](/|$)")');
});

test('a file can’t be shown in another place, and the environment shares no cache', () => {
  expect(() => profile(frame(), { binds: [{ source: '/Users/ada/a', target: '/Users/ada/b', access: 'read' }] })).toThrow(/no mounts/);
  expect(seatbeltEnvironment(frame())).toMatchObject({ xcrun_nocache: '1', TMPDIR: expect.stringMatching(/state\/tmp\/$/) as string });
});

test('on a Mac: commands run behind the profile, and it holds', async ({ skip }) => {
  if (!hasSeatbelt()) skip('sandbox-exec is a part of macOS, and this is another system');
  const dir = realpathSync.native(mkdtempSync(join(tmpdir(), 'signalbox-seatbelt-')));
  try {
    for (const name of ['w', 'state', 'other']) mkdirSync(join(dir, name));
    writeFileSync(join(dir, 'other/secret'), 'secret');
    const driver = createSeatbeltDriver({ person: async () => ({ env: { PATH: '/usr/bin:/bin' }, toolchains: [] }) });
    const machine = await driver.open({
      id: 'ws',
      stateDir: join(dir, 'state'),
      worktree: join(dir, 'w'),
      binds: [],
      policy: { mode: 'workspace', network: { allow: [] }, limits: {} },
      env: {},
    });
    const sh = (line: string) => machine.collect({ argv: ['/bin/sh', '-c', line] });
    expect((await sh('echo x > a && cat a && echo t > "$TMPDIR/t"')).stdout.toString()).toBe('x\n');
    for (const line of [`cat ${dir}/other/secret`, `echo x > ${dir}/x`, `ln ${dir}/other/secret l`, 'ls ~/..', 'curl -sm2 http://1.1.1.1'])
      expect((await sh(line)).code, line).not.toBe(0);
    expect(
      (await sh('git init -q . && git -c user.name=a -c user.email=a@b commit -q --allow-empty -m x && script -q /dev/null true')).code,
    ).toBe(0);
    await machine.dispose();
    expect(readFileSync(join(dir, 'other/secret'), 'utf8')).toBe('secret');
    expect(spawnSync('/bin/ls', [join(dir, 'x')]).status).not.toBe(0);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
