import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { DiskUse } from '../../agent-core/sandbox/limits/disk.ts';

test('what can’t be counted in time is not let off: what the disk took stands for it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-disk-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const use = new DiskUse([], folder, async () => null);
  writeFileSync(join(folder, 'much'), Buffer.alloc(64 * 1024 ** 2, 1), { flush: true });
  const bytes = await new Promise<number>((resolve) => use.look(1024 ** 2, resolve));
  expect(bytes).toBeGreaterThan(8 * 1024 ** 2);
});
