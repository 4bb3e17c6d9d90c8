import { join } from 'node:path';
import { root, run } from './lib/run.mjs';
import { setup } from './setup.mjs';

/** npm start: set-up, what the window needs, then the app; `npm start -- DIR` opens it on a folder. */
const { fatal, warnings } = await setup({ tests: false });
for (const line of [...fatal, ...warnings]) console.error(line);
if (fatal.length > 0) process.exit(1);

const { fetchElectron, hasDisplay } = await import('./lib/electron.mjs');
const { build } = await import('./build.mjs');
const window = hasDisplay(process.env) && fetchElectron();
const only = window ? undefined : ['dist/renderer'];
const { failed } = await build({ force: false, ...(only ? { only } : {}) });
if (failed.length > 0) {
  console.error(`The app can't start: ${failed.join(', ')} failed.`);
  process.exit(1);
}
const launcher = join(root, 'bin', 'signalbox');
process.exit(await run(launcher, process.argv.slice(2), { cwd: process.env.INIT_CWD ?? root }));
