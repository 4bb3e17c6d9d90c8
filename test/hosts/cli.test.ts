import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { desk, git, launcher, repository } from './support/cli.ts';

describe('the launcher', () => {
  test('works through links, from any folder, with spaces and quotes in its way', async () => {
    const { folder, run } = desk();
    const odd = join(folder, `it's "odd" näme`);
    mkdirSync(odd);
    symlinkSync(launcher, join(folder, 'one'));
    symlinkSync('../one', join(odd, 'two'));
    const { code, stdout } = await run(['--version'], { program: join(odd, 'two'), cwd: odd });
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: `${(JSON.parse(readFileSync(join(launcher, '../../package.json'), 'utf8')) as { version: string }).version}\n`,
    });
  });

  test('says how to install what is missing', async () => {
    const { folder, run } = desk();
    mkdirSync(join(folder, 'copy', 'bin'), { recursive: true });
    writeFileSync(join(folder, 'copy', 'bin', 'signalbox'), readFileSync(launcher), { mode: 0o755 });
    const { code, stderr } = await run(['--version'], { program: join(folder, 'copy', 'bin', 'signalbox') });
    expect(code).toBe(1);
    expect(stderr).toContain('npm run setup');
  });
});

describe('usage', () => {
  test.each([
    [['exec'], 'Give a PROMPT'],
    [['exec', 'a', 'b'], '“b” is one word too many'],
    [['exec', '--mode', 'yolo', 'x'], '--mode must be one of read-only, workspace, ask, full'],
    [['exec', '--approval', 'x', 'y'], '--approval must be one of'],
    [['exec', '--nope', 'x'], '--nope'],
    [['exec', '  '], 'The task is empty'],
    [['exec', '--repo', '/no/such/folder', 'x'], 'There is no folder at /no/such/folder'],
    [['batch'], 'Which FILE.jsonl?'],
    [['batch', '/no/such/file'], "can't be read"],
    [['batch', '--concurrency', '0', 'f'], '--concurrency must be a whole number from 1 to 64'],
    [['serve', '--port', '99999'], '--port must be a whole number'],
    [['sandbox', 'true'], 'The command goes after --'],
    [['sandbox', '--'], 'Which command?'],
    [['sandbox', '--mode', 'x', '--', 'true'], '--mode must be'],
    [['frobnicate'], 'There is no command or folder “frobnicate”'],
    [['--frobnicate'], '--frobnicate'],
    [['doctor', 'x'], 'one word too many'],
    [['serve', '/no/such/folder'], 'no folder'],
  ])('%j is exit 2', async (args, words) => {
    const { run, home } = desk();
    const { code, stdout, stderr } = await run(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(words);
    expect(existsSync(join(home, 'worktrees'))).toBe(false);
  });

  test('help lists every command, for each of them too', async () => {
    const { run } = desk();
    for (const args of [['--help'], ['exec', '-h'], ['sandbox', '--help']]) {
      const { code, stdout } = await run(args);
      expect(code).toBe(0);
      for (const name of ['serve', 'exec', 'batch', 'sandbox', 'apply-patch', 'git', 'harvest', 'doctor'])
        expect(stdout).toContain(`signalbox ${name}`);
    }
  });
});

describe('apply-patch', () => {
  const patch = (body: string) => `*** Begin Patch\n${body}\n*** End Patch\n`;

  test('applies, or says why not with exit 1', async () => {
    const { folder, run } = desk();
    const target = join(folder, 'some folder');
    mkdirSync(target);
    expect(await run(['apply-patch', target], { input: patch('*** Add File: d/x.txt\n+hello') })).toMatchObject({ code: 0 });
    expect(readFileSync(join(target, 'd', 'x.txt'), 'utf8')).toBe('hello\n');
    const failed = await run(['apply-patch'], { cwd: target, input: patch('*** Update File: d/x.txt\n@@\n-nope\n+no') });
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain('nope');
    expect((await run(['apply-patch', target], { input: 'rubbish' })).code).toBe(1);
    const out = await run(['apply-patch', target], { input: patch('*** Add File: ../out.txt\n+x') });
    expect(out.code).toBe(1);
    expect(existsSync(join(folder, 'out.txt'))).toBe(false);
    expect((await run(['apply-patch', join(folder, 'none')], { input: '' })).code).toBe(2);
  });
});

describe('doctor', () => {
  test('names what works, as lines and as JSON', async () => {
    const { run } = desk();
    const plain = await run(['doctor']);
    const { code, stdout } = await run(['doctor', '--json']);
    const report = JSON.parse(stdout) as { ok: boolean; probes: { name: string; ok: boolean; fix: string | null }[] };
    expect(report.ok).toBe(code === 0);
    expect(report.probes.map((probe) => probe.name)).toEqual(expect.arrayContaining(['node', 'git', 'sqlite', 'home']));
    for (const probe of report.probes) expect(plain.stdout).toContain(probe.name);
  });

  test('a missing git comes with its fix', async () => {
    const { folder, run } = desk();
    mkdirSync(join(folder, 'bin'));
    for (const name of ['sh', 'uname', 'dirname', 'readlink']) symlinkSync(`/usr/bin/${name}`, join(folder, 'bin', name));
    const { code, stdout } = await run(['doctor', '--json'], { env: { PATH: join(folder, 'bin') } });
    expect(code).not.toBe(0);
    expect((JSON.parse(stdout) as { probes: unknown[] }).probes).toContainEqual(
      expect.objectContaining({ name: 'git', ok: false, fix: expect.stringContaining('apt install git') }),
    );
  });
});

describe('git', () => {
  test('in the person’s repository: git’s own words and exit codes, no hooks', async () => {
    const { folder, run } = desk();
    const repo = repository(join(folder, 'repo'));
    mkdirSync(join(repo, 'sub'));
    writeFileSync(join(repo, 'sub', 'new.txt'), 'x');
    writeFileSync(join(repo, '.git', 'hooks', 'pre-commit'), '#!/bin/sh\ntouch ran\n', { mode: 0o755 });
    expect((await run(['git', '-C', repo, 'status', '--short'])).stdout).toBe('?? sub/\n?? untracked.txt\n');
    expect((await run(['git', 'status', '--short', '.'], { cwd: join(repo, 'sub') })).stdout).toBe('?? ./\n');
    expect(
      (await run(['git', '-C', repo, '-c', 'user.name=P', '-c', 'user.email=p@x', 'commit', '--allow-empty', '-m', 'Second'])).code,
    ).toBe(0);
    expect(readdirSync(repo)).not.toContain('ran');
    expect(git(repo, 'log', '--format=%s')).toBe('Second\nFirst');
    expect((await run(['git', '-C', repo, 'rev-parse', '--verify', 'nope'])).code).toBe(128);
    expect((await run(['git', 'status'])).code).toBe(128);
    expect((await run(['git', '-C', repo, 'hash-object', '--stdin'], { input: 'hello\n' })).stdout).toBe(
      'ce013625030ba8dba906f756967f9e9ca394464a\n',
    );
  });
});
