import { appendFileSync, chmodSync, existsSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { cleanEnv, outside, outsideText } from '../../agent-core/git/runner.ts';
import { allowedSettings, baseRefs, renderConfig } from '../../agent-core/git/session-store.ts';
import { git, put } from '../workspace/world.ts';

let dir: string;
let gitDir: string;
beforeEach(() => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'signalbox-hard-')));
  gitDir = join(dir, '.git');
  git(dir, 'init', '-q', '-b', 'main');
  put(dir, { a: 'a\n' });
  git(dir, 'add', '-A');
  git(dir, 'commit', '-qm', 'first');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** What every git that we start outside runs under, against a repository that says the opposite. Written out: a line that goes is missed. */
const EFFECTIVE: Record<string, string> = {
  'core.hooksPath': '/dev/null',
  'core.fsmonitor': 'false',
  'core.pager': 'cat',
  'core.editor': 'true',
  'core.askPass': '',
  'core.sshCommand': 'false',
  'core.alternateRefsCommand': '',
  'core.attributesFile': '/dev/null',
  'core.untrackedCache': 'false',
  'credential.helper': '',
  'diff.external': '',
  'diff.ignoreSubmodules': 'all',
  'submodule.recurse': 'false',
  'fetch.recurseSubmodules': 'false',
  'push.recurseSubmodules': 'no',
  'safe.bareRepository': 'explicit',
  'gc.auto': '0',
  'maintenance.auto': 'false',
  'protocol.allow': 'never',
  'protocol.file.allow': 'never',
  'commit.gpgSign': 'false',
  'tag.gpgSign': 'false',
  'log.showSignature': 'false',
  'uploadpack.packObjectsHook': '',
  'core.quotePath': 'false',
  'merge.renormalize': 'false',
  'rerere.enabled': 'false',
};

test.each(Object.entries(EFFECTIVE))('outside, %s is ours whatever the repository says', async (key, value) => {
  const hostile = value === 'false' || value === 'no' || value === 'never' ? 'true' : `touch ${dir}/pwned`;
  git(dir, 'config', '--replace-all', key, key.endsWith('.allow') ? 'always' : hostile);
  expect(await outsideText(gitDir, ['config', '--get', key])).toBe(value);
});

test('outside, no hook, no pager and no helper of a hostile repository runs', async () => {
  for (const key of [
    'core.hooksPath',
    'core.fsmonitor',
    'core.pager',
    'core.editor',
    'core.sshCommand',
    'credential.helper',
    'diff.external',
    'gpg.program',
    'uploadpack.packObjectsHook',
    'core.alternateRefsCommand',
  ])
    git(dir, 'config', key, key === 'core.hooksPath' ? join(dir, 'hooks') : `touch ${dir}/pwned`);
  for (const hook of ['reference-transaction', 'post-checkout', 'update', 'pre-auto-gc'])
    put(dir, { [`hooks/${hook}`]: `#!/bin/sh\ntouch ${dir}/pwned\n`, [`.git/hooks/${hook}`]: `#!/bin/sh\ntouch ${dir}/pwned\n` });
  for (const folder of ['hooks', '.git/hooks'])
    for (const name of readdirSync(join(dir, folder))) chmodSync(join(dir, folder, name), 0o755);
  await outside({ gitDir, args: ['update-ref', 'refs/heads/x', 'HEAD'] });
  await outside({ gitDir, args: ['log', '-p', '-1'] });
  await outside({ gitDir, args: ['fetch', 'ssh://localhost/x'] }).catch(() => {});
  await outside({
    gitDir,
    args: ['commit-tree', '-m', 'x', 'HEAD^{tree}'],
    env: { GIT_AUTHOR_NAME: 'a', GIT_AUTHOR_EMAIL: 'a', GIT_COMMITTER_NAME: 'a', GIT_COMMITTER_EMAIL: 'a' },
  });
  expect(existsSync(join(dir, 'pwned'))).toBe(false);
});

test('outside, the environment steers git nowhere and makes it ask nobody', async () => {
  const hostile = [
    'GIT_DIR',
    'GIT_WORK_TREE',
    'GIT_INDEX_FILE',
    'GIT_CONFIG_COUNT',
    'GIT_CONFIG_PARAMETERS',
    'GIT_EXTERNAL_DIFF',
    'GIT_SSH_COMMAND',
    'GIT_EXEC_PATH',
    'GIT_TEMPLATE_DIR',
    'GIT_ALTERNATE_OBJECT_DIRECTORIES',
    'GIT_OBJECT_DIRECTORY',
    'GIT_TRACE',
    'GIT_PROXY_COMMAND',
    'SSH_ASKPASS',
    'LD_PRELOAD',
    'PAGER',
    'EDITOR',
    'VISUAL',
    'NODE_OPTIONS',
  ];
  const env = cleanEnv({ PATH: '/bin', HOME: '/h', ...Object.fromEntries(hostile.map((name) => [name, 'evil'])) });
  expect(Object.values(env)).not.toContain('evil');
  expect(env).toMatchObject({ PATH: '/bin', GIT_TERMINAL_PROMPT: '0', GIT_ASKPASS: '', GIT_OPTIONAL_LOCKS: '0', LC_ALL: 'C' });
});

test('outside, the person’s own settings count only where they are asked for', async () => {
  put(dir, { 'home/.gitconfig': '[user]\n\tname = Global\n' });
  const before = process.env['HOME'];
  process.env['HOME'] = join(dir, 'home');
  onTestFinished(() => {
    process.env['HOME'] = before;
  });
  expect((await outside({ gitDir, args: ['config', '--get', 'user.name'], answers: [1] })).code).toBe(1);
  expect(await outsideText(gitDir, ['config', '--get', 'user.name'], { personal: true })).toBe('Global');
});

test('outside, replaced objects and the attributes of the system count for nothing', async () => {
  const first = git(dir, 'rev-parse', 'HEAD');
  git(dir, 'commit', '-q', '--allow-empty', '-m', 'second');
  git(dir, 'replace', 'HEAD', first);
  expect(await outsideText(gitDir, ['log', '-1', '--format=%s'])).toBe('second');
  await expect(outside({ gitDir: 'relative', args: ['log'] })).rejects.toThrow('Not an absolute git directory');
});

/** Keys by which git runs a program, reads a file, reaches a host, or that may hold a credential. */
const NEVER = [
  'core.fsmonitor',
  'core.sshcommand',
  'core.hookspath',
  'core.editor',
  'core.pager',
  'core.askpass',
  'core.gitproxy',
  'core.alternaterefscommand',
  'core.worktree',
  'core.attributesfile',
  'core.excludesfile',
  'diff.external',
  'diff.e.textconv',
  'diff.e.command',
  'filter.e.clean',
  'filter.e.smudge',
  'filter.e.process',
  'merge.e.driver',
  'mergetool.e.cmd',
  'gpg.program',
  'gpg.ssh.program',
  'credential.helper',
  'credential.https://x.helper',
  'credential.username',
  'http.proxy',
  'http.extraheader',
  'http.https://x/.extraheader',
  'http.cookiefile',
  'http.sslkey',
  'uploadpack.packobjectshook',
  'sequence.editor',
  'interactive.difffilter',
  'pager.log',
  'alias.st',
  'trailer.x.command',
  'trailer.x.cmd',
  'remote.origin.vcs',
  'remote.origin.uploadpack',
  'remote.origin.receivepack',
  'remote.origin.proxy',
  'submodule.s.update',
  'submodule.s.url',
  'protocol.ext.allow',
  'url.ext::sh.insteadof',
  'url.https://u:p@h/.insteadof',
  'include.path',
  'includeif.gitdir:/.path',
  'init.templatedir',
  'man.viewer',
  'browser.x.cmd',
  'user.signingkey',
  'commit.gpgsign',
  'sendemail.smtppass',
  'imap.pass',
  'commit.template',
  'blame.ignorerevsfile',
  'fsck.skiplist',
  'core.gitdir',
];

test('of a repository’s settings, none that runs, reads, reaches or holds a secret is copied', async () => {
  git(dir, 'config', 'core.autocrlf', 'input');
  git(dir, 'config', 'remote.origin.url', 'https://user:secret@example.com/x');
  // An include would be read, and not listed by its own name.
  appendFileSync(
    join(gitDir, 'config'),
    renderConfig(NEVER.filter((key) => !key.startsWith('include')).map((key) => [key, key === 'core.worktree' ? dir : 'secret'] as const)),
  );
  const copied = await allowedSettings(gitDir);
  expect(copied.filter(([key, value]) => NEVER.includes(key.toLowerCase()) || value.includes('secret'))).toEqual([]);
  expect(copied).toContainEqual(['core.autocrlf', 'input']);
  expect(copied).toContainEqual(['remote.origin.url', 'https://example.com/x']);
});

test('settings are written so that none can break out of its line', () => {
  const text = renderConfig([['branch.a"] [core] fsmonitor = x [b "\\.merge', 'v"\n[core]\n\tpager = x']]);
  put(dir, { rendered: text });
  const listed = git(dir, 'config', '--file', join(dir, 'rendered'), '--list', '--name-only');
  expect(listed).not.toMatch(/^core\./m);
});

test('the branches of other tasks are not among the refs that an agent sees', async () => {
  for (const name of ['feature', 'signalbox/other', 'signalbox/a/b']) git(dir, 'branch', name);
  git(dir, 'update-ref', 'refs/signalbox/hidden', 'HEAD');
  git(dir, 'update-ref', 'refs/stash', 'HEAD');
  expect([...(await baseRefs(gitDir)).keys()]).toEqual(['refs/heads/feature', 'refs/heads/main']);
});
