import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ensureSystem } from '../../scripts/lib/system.mjs';

/** A machine of which only the package manager is made up: programs in a folder that comes first on the PATH. */
describe('set-up of what the system lacks', () => {
  const before = process.env['PATH'] ?? '';
  let folder = '';
  const log = () => (existsSync(join(folder, 'log')) ? readFileSync(join(folder, 'log'), 'utf8').trim().split('\n') : []);
  const program = (name: string, script: string): void => {
    writeFileSync(join(folder, 'bin', name), `#!/bin/sh\necho "${name} $*" >> "${folder}/log"\n${script}\n`);
    chmodSync(join(folder, 'bin', name), 0o755);
  };
  const need = () => ({
    name: 'Thing',
    why: 'a test',
    packages: ['thing'],
    there: () => existsSync(join(folder, 'thing')),
    elsewhere: 'install thing yourself',
  });
  const installs = `case "$*" in *install*) [ -e "${'$'}0.lists" ] && touch "${'$'}(dirname "${'$'}0")/../thing" || exit 100;; *update*) touch "${'$'}0.lists";; esac`;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'signalbox-setup-'));
    mkdirSync(join(folder, 'bin'));
    process.env['PATH'] = [join(folder, 'bin'), '/usr/bin', '/bin'].join(delimiter);
    process.env['CI'] = 'true';
  });
  afterEach(() => {
    process.env['PATH'] = before;
    rmSync(folder, { recursive: true, force: true });
  });

  it('does nothing when all is there', async () => {
    writeFileSync(join(folder, 'thing'), '');
    program('apt-get', '');
    expect(await ensureSystem([need()], 0)).toEqual([]);
    expect(log()).toEqual([]);
  });

  it('installs as root, with fresh package lists where the old ones know nothing', async () => {
    program('apt-get', installs);
    program('apt-cache', 'echo "thing:"; echo "  Candidate: (none)"');
    expect(await ensureSystem([need()], 0)).toEqual([]);
    expect(log().filter((line) => line.startsWith('apt-get'))).toEqual([
      'apt-get update',
      'apt-get install -y --no-install-recommends thing',
    ]);
  });

  it('tries again with fresh lists when the old ones name what is gone', async () => {
    program('apt-get', installs);
    program('apt-cache', 'echo "thing:"; echo "  Candidate: 1.0"');
    expect(await ensureSystem([need()], 0)).toEqual([]);
    expect(log().filter((line) => line.startsWith('apt-get'))).toHaveLength(3);
  });

  it('uses sudo as an ordinary user where sudo works', async () => {
    program('apt-get', installs);
    program('apt-cache', 'true');
    program('sudo', `[ "${'$'}1" = -n ] && exit 0; exec "${'$'}@"`);
    expect(await ensureSystem([need()], 1000)).toEqual([]);
    expect(log()).toContain('sudo apt-get install -y --no-install-recommends thing');
  });

  it('gives the exact command where it may not install', async () => {
    program('apt-get', installs);
    program('sudo', 'exit 1');
    const lines = await ensureSystem([need()], 1000);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('sudo apt-get update && sudo apt-get install -y --no-install-recommends thing');
    expect(log().filter((line) => line.startsWith('apt-get'))).toEqual([]);
  });

  it('says so when the package manager fails', async () => {
    program('apt-get', 'exit 100');
    program('apt-cache', 'true');
    expect((await ensureSystem([need()], 0))[0]).toContain('Thing could not be installed. Run: sudo apt-get update');
  });
});
