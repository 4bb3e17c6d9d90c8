import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { capture, node24, root } from './run.mjs';

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
 * @returns {boolean} whether it is there now
 */
export function fetchElectron() {
  if (electronBinary()) return true;
  console.log('Fetching Electron …');
  const { code, output } = capture(node24() ?? process.execPath, [join(root, 'node_modules/electron/install.js')], 300_000);
  if (code === 0 && electronBinary()) return true;
  const why = /^\w*Error: .*$/m.exec(output)?.[0] ?? `its installer ended with ${code}`;
  console.log(`Electron could not be fetched (${why}).`);
  return false;
}
