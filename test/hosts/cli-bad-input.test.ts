import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { desk, git, repository } from './support/cli.ts';
import { until } from './support/core.ts';
import { temp } from './support/temp.ts';

/**
 * What is odd or wrong: it works, or it is refused in words with exit code 3 (2 where there is nothing to work in), and
 * then nothing has run.
 */
let my: ReturnType<typeof desk>;
let repo: string;
beforeEach(() => {
  my = desk();
  repo = repository(join(my.folder, 'repo'));
});

const touch = ['--', 'touch', 'ran'];

describe('refused with 3, and nothing has run', () => {
  test.each([
    ['every host', ['--allow-host', '*']],
    ['every host with a port', ['--allow-host', '*:443']],
    ['a whole top-level domain', ['--allow-host', '*.com']],
    ['a URL for a host', ['--allow-host', 'https://example.com/']],
    ['a host with a newline', ['--allow-host', 'example.com\nevil']],
    ['an address in an odd notation', ['--allow-host', '0x7f000001']],
    ['a port that is none', ['--allow-host', 'example.com:99999']],
    ['an empty host', ['--allow-host', '']],
  ])('%s', async (_, args) => {
    const { code, stderr } = await my.run(['sandbox', '--cwd', repo, ...args, ...touch]);
    expect(code, stderr).toBe(3);
    expect(stderr.trim()).not.toBe('');
    expect(stderr).toContain('Nothing was run');
    expect(existsSync(join(repo, 'ran'))).toBe(false);
  });

  test('a checkout that holds the person’s home', async () => {
    const home = join(repo, 'inner/home');
    mkdirSync(home, { recursive: true });
    const { code, stderr } = await my.run(['sandbox', '--cwd', repo, ...touch], { env: { HOME: home } });
    expect(code, stderr).toBe(3);
    expect(stderr).toContain('holds your home folder');
    expect(existsSync(join(repo, 'ran'))).toBe(false);
  });

  test('a checkout that holds the data of Signalbox', async () => {
    const { code, stderr } = await my.run(['sandbox', '--cwd', repo, ...touch], { env: { SIGNALBOX_HOME: join(repo, 'data') } });
    expect(code, stderr).toBe(3);
    expect(stderr).toContain('holds the data of Signalbox');
    expect(existsSync(join(repo, 'ran'))).toBe(false);
  });

  test('a worktree whose .git became a folder', async () => {
    const linked = join(my.folder, 'linked');
    git(repo, 'worktree', 'add', '-q', linked, '-b', 'feature');
    expect((await my.run(['sandbox', '--cwd', linked, '--', 'true'])).code).toBe(0);
    rmSync(join(linked, '.git'));
    mkdirSync(join(linked, '.git'));
    const { code, stderr } = await my.run(['sandbox', '--cwd', linked, ...touch]);
    expect([2, 3], stderr).toContain(code);
    expect(existsSync(join(linked, 'ran'))).toBe(false);
  });

  test('a mode that is none', async () => {
    const { code, stderr } = await my.run(['sandbox', '--cwd', repo, '--mode', 'no-such-mode', ...touch]);
    expect(code, stderr).toBe(2);
    expect(existsSync(join(repo, 'ran'))).toBe(false);
  });
});

describe('refused with 2, as there is nothing to work in', () => {
  test.each([
    ['a folder that is not there', (base: string) => join(base, 'none')],
    ['a file', (base: string) => join(base, 'repo/a.txt')],
    ['a folder without a repository', (base: string) => base],
    ['a path with a line break', (base: string) => repository(join(base, 'line\nbreak'))],
    ['inside .git', (base: string) => join(base, 'repo/.git/hooks')],
  ])('%s', async (_, at) => {
    const { code, stderr } = await my.run(['sandbox', '--cwd', at(my.folder), ...touch]);
    expect(code, stderr).toBe(2);
    expect(stderr.trim()).not.toBe('');
  });

  test('a bare repository, and one without a commit', async () => {
    git(my.folder, 'init', '-q', '--bare', 'bare.git');
    git(my.folder, 'init', '-q', 'empty');
    for (const name of ['bare.git', 'empty']) {
      const { code, stderr } = await my.run(['sandbox', '--cwd', join(my.folder, name), ...touch]);
      expect([2, 3], `${name}: ${stderr}`).toContain(code);
      expect(existsSync(join(my.folder, name, 'ran'))).toBe(false);
    }
  });

  test('a worktree that was deleted', async () => {
    const linked = join(my.folder, 'linked');
    git(repo, 'worktree', 'add', '-q', linked, '-b', 'feature');
    expect((await my.run(['sandbox', '--cwd', linked, '--', 'true'])).code).toBe(0);
    rmSync(linked, { recursive: true });
    expect((await my.run(['sandbox', '--cwd', linked, ...touch])).code).toBe(2);
  });
});

describe('odd, and it works', () => {
  const works = async (cwd: string, more: { env?: Record<string, string> } = {}): Promise<void> => {
    const { code, stdout, stderr } = await my.run(
      ['sandbox', '--cwd', cwd, '--', 'sh', '-c', 'pwd; git rev-parse --show-toplevel; touch ran'],
      more,
    );
    expect(code, stderr).toBe(0);
    expect(stdout.split('\n')[0]).toBe(cwd);
    expect(existsSync(join(cwd, 'ran'))).toBe(true);
  };

  test('a repository right in /tmp, and a worktree of it there', async () => {
    const base = temp('in-tmp');
    const here = repository(join(base, 'here'));
    git(here, 'worktree', 'add', '-q', join(base, 'there'), '-b', 'x');
    await works(here);
    await works(join(base, 'there'));
  });

  test('a repository inside another worktree', async () => {
    const linked = join(my.folder, 'linked');
    git(repo, 'worktree', 'add', '-q', linked, '-b', 'feature');
    const inner = repository(join(linked, 'vendor/inner'));
    await works(inner);
    await works(linked);
  });

  test('a worktree inside its own repository', async () => {
    const linked = join(repo, '.trees/one');
    git(repo, 'worktree', 'add', '-q', linked, '-b', 'feature');
    await works(linked);
  });

  test('names with spaces, quotes, newlines and letters of everywhere', async () => {
    for (const name of ['with space', 'it’s "quoted"', '日本語', '-rf', '$(touch x)']) {
      const at = repository(join(my.folder, 'odd', name));
      const { code, stderr } = await my.run(['sandbox', ...touch], { cwd: at });
      expect(code, `${name}: ${stderr}`).toBe(0);
      expect(existsSync(join(at, 'ran'))).toBe(true);
    }
    expect(readdirSync(join(my.folder, 'odd'))).toHaveLength(5);
  }, 90_000);

  test('a folder that a link leads to', async () => {
    symlinkSync(repo, join(my.folder, 'link'));
    const { code } = await my.run(['sandbox', '--cwd', join(my.folder, 'link'), ...touch]);
    expect(code).toBe(0);
    expect(existsSync(join(repo, 'ran'))).toBe(true);
  });

  test('a host that is allowed twice, and one with a port beside it', async () => {
    const { code, stderr } = await my.run([
      'sandbox',
      '--cwd',
      repo,
      '--allow-host',
      'example.com',
      '--allow-host',
      'EXAMPLE.com',
      '--allow-host',
      'example.com:443',
      ...touch,
    ]);
    expect(code, stderr).toBe(0);
  });

  test('read-only, with a host: nothing is written, and the command runs', async () => {
    const { code } = await my.run(['sandbox', '--cwd', repo, '--mode', 'read-only', '--allow-host', 'example.com', '--', 'cat', 'a.txt']);
    expect(code).toBe(0);
  });

  const shm = statSync('/dev/shm', { throwIfNoEntry: false });
  test.skipIf(!shm || shm.dev === statSync('/tmp').dev)('a worktree on another disk (skipped where /dev/shm is none)', async () => {
    const other = temp('shm', '/dev/shm');
    const linked = join(other, 'tree');
    git(repo, 'worktree', 'add', '-q', linked, '-b', 'far');
    await works(linked);
    expect((await my.run(['harvest', '--cwd', linked])).code).toBe(0);
  });
});

describe('a worktree that goes while a command runs', () => {
  test.each(['moved', 'deleted'] as const)('%s: the command ends by itself, and nothing else is touched', async (how) => {
    const linked = join(my.folder, 'linked');
    git(repo, 'worktree', 'add', '-q', linked, '-b', 'feature');
    const running = my.start(
      [
        'sandbox',
        '--cwd',
        linked,
        '--',
        'sh',
        '-c',
        'echo up; while ! [ -e /tmp/x ]; do sleep 0.1; i=$((i+1)); [ "$i" = 15 ] && exit 7; done',
      ],
      {},
    );
    await until(() => running.stdout().includes('up'), 'it runs');
    if (how === 'moved') renameSync(linked, join(my.folder, 'moved'));
    else rmSync(linked, { recursive: true, force: true });
    onTestFinished(() => rmSync(join(my.folder, 'moved'), { recursive: true, force: true }));
    const { code } = await running.outcome;
    expect(code).toBe(7);
    expect(existsSync(linked)).toBe(false);
    expect((await my.run(['sandbox', '--cwd', linked, ...touch])).code).toBe(2);
    expect(git(repo, 'status', '--short')).toBe('?? untracked.txt');
  });
});
