import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, run, node24 } from './run.mjs';

/** Electron's program in this checkout. @returns {string | null} absolute path, or null when it was never fetched */
export function electronBinary() {
  const folder = join(root, 'node_modules', 'electron');
  try {
    const path = join(folder, 'dist', readFileSync(join(folder, 'path.txt'), 'utf8').trim());
    return existsSync(path) ? path : null;
  } catch {
    return null;
  }
}

/** Whether a window can be shown on this machine. @param {NodeJS.ProcessEnv} env */
export const hasDisplay = (env) => process.platform !== 'linux' || Boolean(env.DISPLAY || env.WAYLAND_DISPLAY);

/**
 * Fetches Electron's program once. Nothing depends on it: without it the app opens in the browser.
 * @returns {Promise<boolean>} whether it is there now
 */
export async function fetchElectron() {
  if (electronBinary()) return true;
  console.log('Fetching Electron …');
  const code = await run(node24() ?? process.execPath, [join(root, 'node_modules/electron/install.js')], { timeout: 300_000 });
  return code === 0 && electronBinary() !== null;
}
