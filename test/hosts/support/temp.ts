import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A folder that goes when the test ends; `under` another disk's, for instance. */
export function temp(name = 'hosts', under = tmpdir()): string {
  const path = realpathSync(mkdtempSync(join(under, `signalbox-${name}-`)));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
