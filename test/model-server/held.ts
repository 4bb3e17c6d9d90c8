import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { complaints, readCorpus } from './corpus.ts';

/** Gathers what the tests' model servers are sent and answer, and at the end holds all of it against the API's schema. */
export function setup(): (() => Promise<void>) | undefined {
  // The first of the projects that run gathers for all.
  if (process.env['SIGNALBOX_WIRE_CORPUS']) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-wire-'));
  process.env['SIGNALBOX_WIRE_CORPUS'] = folder;
  return async () => {
    try {
      const wrong = await complaints(readCorpus(folder));
      if (wrong.length) throw new Error(`Not of the API's schema:\n${wrong.join('\n')}`);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  };
}
