import { pathToFileURL } from 'node:url';
import { ensureDependencies } from './lib/dependencies.mjs';
import { bubblewrap, chromium, ensureSystem, git, testTools } from './lib/system.mjs';

/**
 * Brings a checkout to where everything runs: dependencies, the pinned Node, bubblewrap and, for the tests, Chromium.
 * Runs on Node 20 with nothing installed; fast when all is there.
 * @param {{ tests: boolean }} options
 * @returns {Promise<{ fatal: string[], warnings: string[] }>} `warnings` leave the app usable, but not all of it
 */
export async function setup({ tests }) {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < 20)
    return { fatal: [`Node 20 or newer is needed; this is ${process.version}. Get it from https://nodejs.org`], warnings: [] };
  const failed = await ensureDependencies();
  if (failed) return { fatal: [failed], warnings: [] };
  const missing = await ensureSystem(tests ? [git, bubblewrap, chromium, testTools] : [git, bubblewrap]);
  return tests ? { fatal: missing, warnings: [] } : { fatal: [], warnings: missing };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { fatal, warnings } = await setup({ tests: process.argv.includes('--tests') });
  for (const line of [...fatal, ...warnings]) console.error(line);
  if (fatal.length > 0 || warnings.length > 0) process.exit(1);
  console.log('Everything is there. Start with: npm start');
}
