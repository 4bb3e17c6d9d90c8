import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { build } from '../../scripts/build.mjs';
import { root } from '../../scripts/lib/run.mjs';

/** What is packaged is the bundle, not the sources: it must do what they do. */
describe('the bundled core', () => {
  let folder = '';
  beforeAll(async () => {
    expect((await build({ force: false, only: ['dist/core'] })).failed).toEqual([]);
    folder = mkdtempSync(join(tmpdir(), 'signalbox-bundle-'));
    const git = (...args: string[]) => expect(spawnSync('git', ['-C', folder, ...args]).status).toBe(0);
    git('init', '-q', '-b', 'main', 'repo');
    writeFileSync(join(folder, 'repo', 'file.txt'), 'one\n');
    git('-C', 'repo', 'add', '.');
    git('-C', 'repo', '-c', 'user.name=T', '-c', 'user.email=t@example.com', 'commit', '-qm', 'first');
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const cli = (...args: string[]) => {
    const env = { ...process.env, SIGNALBOX_HOME: join(folder, 'home') };
    return spawnSync(process.execPath, [join(root, 'dist/core/cli.mjs'), ...args], { encoding: 'utf8', env, cwd: join(folder, 'repo') });
  };

  it('tells its version', () => {
    expect(cli('--version').stdout.trim()).toMatch(/\d+\.\d+\.\d+/);
  });

  it('runs a command in the sandbox', () => {
    const done = cli('sandbox', '--', 'sh', '-c', 'cat file.txt; ls -A "$HOME" | wc -l; exit 7');
    expect(done.stderr).toBe('');
    expect(done.stdout.startsWith('one\n')).toBe(true);
    expect(done.status).toBe(7);
  });

  it('does a whole task on the demo model', () => {
    const done = cli('exec', '--json', '--model', 'demo', 'Say hello');
    const last = JSON.parse(done.stdout.trim().split('\n').at(-1) ?? '{}') as { type: string };
    expect(last.type, done.stderr).toBe('turn.completed');
    expect(done.status).toBe(0);
  });
});
