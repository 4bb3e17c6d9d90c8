/** Starts a core on the home given and prints a line when it answers. */
import { enableCompileCache, flushCompileCache } from 'node:module';
import { join } from 'node:path';

enableCompileCache(join(process.argv[2]!, 'compile-cache'));
const { createCore } = await import('../agent-core/core.ts');
const core = await createCore({ home: process.argv[2]!, host: 'test', openOn: null, env: process.env });
const { board } = core.snapshot();
process.stdout.write(`${Object.keys(board.tasks).length}\n`);
if (process.argv[3] === 'warm') {
  flushCompileCache();
  process.exit(0);
}
