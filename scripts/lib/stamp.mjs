import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './run.mjs';

/** @param {string} path @returns {string[]} */
function filesUnder(path) {
  try {
    return readdirSync(join(root, path), { withFileTypes: true })
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .flatMap((entry) => (entry.isDirectory() ? filesUnder(`${path}/${entry.name}`) : [`${path}/${entry.name}`]));
  } catch {
    return [path];
  }
}

/**
 * One number for the content of files and folders; an absent one counts as empty.
 * @param {string[]} inputs relative to the checkout
 */
export function fingerprint(inputs) {
  const hash = createHash('sha256');
  for (const file of inputs.flatMap(filesUnder)) {
    hash.update(`${file}\0`);
    try {
      hash.update(readFileSync(join(root, file)));
    } catch {
      hash.update('absent');
    }
  }
  return hash.digest('hex');
}

const stampPath = (/** @type {string} */ folder) => join(root, folder, '.built-from');

/** Whether `folder` was built from these inputs as they are now. @param {string} folder @param {string[]} inputs */
export function isFresh(folder, inputs) {
  try {
    return readFileSync(stampPath(folder), 'utf8') === fingerprint(inputs);
  } catch {
    return false;
  }
}

/** Notes what `folder` was built from. @param {string} folder @param {string} print */
export const stamp = (folder, print) => writeFileSync(stampPath(folder), print);
