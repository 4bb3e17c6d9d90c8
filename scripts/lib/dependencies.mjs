import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { node24, root, run } from './run.mjs';

/** @typedef {{ packages: Record<string, { version?: string, optional?: boolean, devOptional?: boolean, peer?: boolean }> }} Lock */

/** @param {string} path @returns {Lock | null} */
function readLock(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return null;
  }
}

/**
 * Whether what is installed is what the lock file asks for. npm leaves its own record of what it installed.
 * Packages for other platforms may be absent.
 * @param {Lock | null} wanted
 * @param {Lock | null} installed
 */
export function upToDate(wanted, installed) {
  if (!wanted || !installed) return false;
  return Object.entries(wanted.packages).every(([path, entry]) => {
    if (path === '') return true;
    const there = installed.packages[path];
    return there ? there.version === entry.version : Boolean(entry.optional ?? entry.devOptional);
  });
}

/**
 * Installs the locked dependencies when they are missing or not those of the lock file. No install script runs.
 * @returns {Promise<string | null>} what went wrong, or null
 */
export async function ensureDependencies() {
  const wanted = readLock(join(root, 'package-lock.json'));
  if (upToDate(wanted, readLock(join(root, 'node_modules', '.package-lock.json'))) && node24()) return null;
  console.log('Installing the dependencies (npm ci) …');
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const flags = ['ci', '--ignore-scripts', '--include=dev', '--include=optional', '--no-fund', '--no-audit', '--loglevel=error'];
  if ((await run(npm, flags)) !== 0)
    return `The dependencies could not be installed. See above; to try again: npm ${flags.slice(0, 2).join(' ')}`;
  if (node24()) return null;
  return `Node 24 or newer is needed here (this is ${process.version}) and is not among the dependencies for ${process.platform}-${process.arch}. Install it from https://nodejs.org and try again.`;
}
