import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { spawn as spawnPty } from 'node-pty';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { desk, git, launcher, repository } from './support/cli.ts';
import { until } from './support/core.ts';

let my: ReturnType<typeof desk>;
let repo: string;
let linked: string;

beforeEach(() => {
  my = desk();
  repo = repository(join(my.folder, 'repo'));
  linked = join(my.folder, 'linked tree');
  git(repo, 'worktree', 'add', '-q', linked, '-b', 'feature');
});

describe('sandbox', () => {
  test('stdin, stdout, stderr and the exit code pass through, bytes untouched', async () => {
    const bytes = randomBytes(2_000_000);
    const result = await my.run(['sandbox', '--', 'sh', '-c', 'cat; echo "in $PWD" >&2; exit 7'], { cwd: linked, input: bytes });
    expect(result.code).toBe(7);
    expect(result.stderr).toBe(`in ${linked}\n`);
    expect(result.bytes.equals(bytes)).toBe(true);
    expect((await my.run(['sandbox', '--cwd', linked, '--', 'no-such-program'])).code).toBe(127);
    expect((await my.run(['sandbox', '--cwd', linked, '--', 'sh', '-c', 'kill -9 $$'])).code).toBe(137);
  });

  test('an adopted worktree commits inside; harvest brings the branch out', async () => {
    const made = await my.run([
      'sandbox',
      '--cwd',
      linked,
      '--',
      'sh',
      '-c',
      'echo two > b.txt && git add . && git commit -q -m Inside && git status --short',
    ]);
    expect(made).toMatchObject({ code: 0, stdout: '' });
    expect(git(repo, 'log', '--format=%s', 'feature')).toBe('First');
    const inside = await my.run(['git', '-C', linked, 'log', '--format=%s']);
    expect(inside.stdout).toBe('Inside\nFirst\n');
    const { code, stdout } = await my.run(['harvest', '--json'], { cwd: linked });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ branch: 'feature', commit: git(repo, 'rev-parse', 'feature'), diverged: null });
    expect(git(linked, 'log', '--format=%s')).toBe('Inside\nFirst');
    expect(git(linked, 'status', '--short')).toBe('');
    expect(git(repo, 'status', '--short')).toBe('?? untracked.txt');
    expect(git(repo, 'rev-parse', 'main')).toBe(git(repo, 'rev-parse', 'side'));
  });

  test('read-only writes nothing, and the mode was for that command alone', async () => {
    expect((await my.run(['sandbox', '--cwd', linked, '--mode', 'read-only', '--', 'touch', 'x'])).code).not.toBe(0);
    expect(existsSync(join(linked, 'x'))).toBe(false);
    expect((await my.run(['sandbox', '--cwd', linked, '--', 'touch', 'x'])).code).toBe(0);
    expect(existsSync(join(linked, 'x'))).toBe(true);
  });

  test('the main checkout: its files writable, its git not, the neighbours absent', async () => {
    const { code, stdout } = await my.run([
      'sandbox',
      '--cwd',
      repo,
      '--',
      'sh',
      '-c',
      `echo x > made.txt; git commit -q --allow-empty -m no 2>/dev/null && echo committed; ls '${linked}' 2>/dev/null; cat a.txt`,
    ]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'one\n' });
    expect(readFileSync(join(repo, 'made.txt'), 'utf8')).toBe('x\n');
    expect(git(repo, 'log', '--format=%s')).toBe('First');
  });

  test('what host tools would run by themselves is set aside and told; the person’s own stays', async () => {
    writeFileSync(join(linked, '.envrc'), 'mine\n');
    const { code, stderr } = await my.run([
      'sandbox',
      '--cwd',
      linked,
      '--',
      'sh',
      '-c',
      'mkdir .vscode; echo x > .vscode/tasks.json; cat .envrc',
    ]);
    expect(code).toBe(0);
    expect(stderr).toContain('Set aside .vscode: VS Code');
    const [, place] = /It lies in (.+)\.$/m.exec(stderr)!;
    expect(readFileSync(join(place!, '.vscode/tasks.json'), 'utf8')).toBe('x\n');
    expect(existsSync(join(linked, '.vscode'))).toBe(false);
    writeFileSync(join(linked, '.envrc'), 'mine, changed\n');
    await my.run(['sandbox', '--cwd', linked, '--', 'true']);
    expect(readFileSync(join(linked, '.envrc'), 'utf8')).toBe('mine, changed\n');
  });

  test('what can’t be confined doesn’t run: exit 3; no repository: exit 2', async () => {
    expect((await my.run(['sandbox', '--cwd', linked, '--allow-host', '*', '--', 'touch', 'ran'])).code).toBe(3);
    expect(existsSync(join(linked, 'ran'))).toBe(false);
    expect((await my.run(['sandbox', '--cwd', my.folder, '--', 'true'])).code).toBe(2);
    expect((await my.run(['sandbox', '--cwd', join(my.folder, 'none'), '--', 'true'])).code).toBe(2);
    expect((await my.run(['harvest', '--cwd', repo])).code).toBe(2);
  });

  test('nothing is left running', async () => {
    const mark = randomBytes(6).toString('hex');
    await my.run([
      'sandbox',
      '--cwd',
      linked,
      '--',
      'sh',
      '-c',
      `sh -c 'sleep 3600; : ${mark}' & setsid sh -c 'sleep 3600; : ${mark}' & echo started`,
    ]);
    const { stdout } = await my.run(['git', '--version']);
    expect(stdout).toContain('git version');
    const { execFileSync } = await import('node:child_process');
    expect(execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })).not.toContain(mark);
  });

  test('at a terminal the command has one', async () => {
    const pty = spawnPty(launcher, ['sandbox', '--', 'sh', '-c', 'stty size; read line; echo "got $line"; exit 5'], {
      cwd: linked,
      env: my.env,
      cols: 91,
      rows: 33,
    });
    onTestFinished(() => {
      pty.kill('SIGKILL');
    });
    let text = '';
    pty.onData((data) => {
      text += data;
    });
    const exit = new Promise<number>((resolve) => {
      pty.onExit(({ exitCode }) => resolve(exitCode));
    });
    await until(() => text.includes('33 91'), 'the size', 15_000);
    pty.write('typed\r');
    expect(await exit).toBe(5);
    expect(text).toContain('got typed');
  });

  test('git in a workspace runs inside: nothing planted there runs out here', async () => {
    await my.run(['sandbox', '--cwd', linked, '--', 'true']);
    const trap = join(my.folder, 'person', 'trapped');
    const nested = join(linked, 'nested');
    repository(nested);
    git(nested, 'config', 'filter.x.clean', `touch '${trap}'; cat`);
    git(nested, 'config', 'core.fsmonitor', `touch '${trap}'`);
    writeFileSync(join(nested, '.gitattributes'), '* filter=x\n');
    const { code } = await my.run(['git', '-C', linked, 'status', '--short']);
    expect(code).toBe(0);
    expect((await my.run(['git', 'add', '-A'], { cwd: nested })).code).toBe(0);
    expect(existsSync(trap)).toBe(false);
  });
});
