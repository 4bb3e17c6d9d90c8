import { isBuiltin } from 'node:module';
import { posix } from 'node:path';

/**
 * The import law: which room may use which. Paths are relative to the checkout, with forward slashes.
 * ARCHITECTURE.md tells why each line is there.
 */

/** @typedef {{ path: string | null, package: string | null, builtin: boolean, text: string }} Target */

/** @param {string} path @param {...string} rooms */
const within = (path, ...rooms) => rooms.some((room) => path === room || path.startsWith(`${room}/`));

/**
 * Where an import leads: a file of ours, a package, or a part of Node.
 * @param {string} from the importing file
 * @param {string} specifier as written
 * @returns {Target}
 */
export function target(from, specifier) {
  if (specifier.startsWith('.')) {
    const path = posix.normalize(posix.join(posix.dirname(from), specifier.replace(/\?.*$/, '')));
    return { path, package: null, builtin: false, text: path };
  }
  const builtin = isBuiltin(specifier);
  const parts = specifier.split('/');
  const name = specifier.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? specifier);
  return { path: null, package: builtin ? specifier.replace(/^node:/, '') : name, builtin, text: specifier };
}

/** Packages that only some rooms may import. `types` lists files that may import types only. */
const keptPackages = [
  { package: 'openai', rooms: ['agent-core/harness/model'], types: ['agent-core/harness/types.ts'] },
  { package: '@modelcontextprotocol/sdk', rooms: ['agent-core/mcp'], types: [] },
  { package: 'simple-git', rooms: ['agent-core/git'], types: [] },
  { package: 'node-pty', rooms: ['agent-core/sandbox'], types: [] },
  { package: 'child_process', rooms: ['agent-core/git', 'agent-core/sandbox', 'agent-core/hosts'], types: [] },
  { package: 'electron', rooms: ['electron'], types: [] },
];

/** Build-time files of the renderer run in Node. */
const isBuildFile = (/** @type {string} */ path) => /(^|\/)vite\.config\.ts$/.test(path);
const isProduct = (/** @type {string} */ path) => within(path, 'agent-core', 'electron', 'renderer', 'bin') && !isBuildFile(path);

/** @type {((from: string, to: Target) => string | null)[]} */
const walls = [
  (from, to) =>
    within(from, 'renderer') && to.path !== null && !within(to.path, 'renderer', 'agent-core/contract')
      ? 'the renderer imports nothing but itself and agent-core/contract'
      : null,
  (from, to) => (within(from, 'renderer') && to.builtin ? 'the renderer runs in a page: it has no Node' : null),
  (from, to) => {
    const here = /^renderer\/features\/([^/]+)/.exec(from)?.[1];
    const there = /^renderer\/features\/([^/]+)/.exec(to.path ?? '')?.[1];
    return here && there && here !== there
      ? `features/${here} may not import features/${there}: they meet in state/, actions/ or ui/`
      : null;
  },
  (from, to) =>
    within(from, 'electron') && to.path !== null && !within(to.path, 'electron', 'agent-core/core.ts', 'agent-core/contract')
      ? 'electron/ imports agent-core/core.ts and agent-core/contract only: no product logic here'
      : null,
  (from, to) =>
    within(from, 'agent-core') && to.path !== null && !within(to.path, 'agent-core', 'package.json')
      ? 'agent-core stands alone: it imports neither electron/ nor renderer/ nor anything else outside itself'
      : null,
  (from, to) =>
    within(from, 'agent-core/harness', 'agent-core/mcp') && to.path !== null && within(to.path, 'agent-core/terminal')
      ? 'no tool of an agent reads or types in the person’s terminals'
      : null,
  (from, to) =>
    within(from, 'agent-core/contract', 'agent-core/domain') && to.builtin ? 'contract/ and domain/ are pure: nothing of Node' : null,
  (from, to) =>
    within(from, 'agent-core/contract') && to.path !== null && !within(to.path, 'agent-core/contract')
      ? 'contract/ imports nothing of ours but itself'
      : null,
  (from, to) =>
    within(from, 'agent-core/domain') &&
    to.path !== null &&
    !within(to.path, 'agent-core/domain', 'agent-core/contract', 'agent-core/support/assert-never.ts')
      ? 'domain/ is pure: it imports contract/ and assert-never only'
      : null,
];

/**
 * @param {string} from the importing file, relative to the checkout
 * @param {string} specifier as written in the import
 * @param {boolean} typeOnly
 * @returns {string | null} what is wrong, or null when the import is lawful
 */
export function verdict(from, specifier, typeOnly) {
  if (!isProduct(from)) return null;
  const to = target(from, specifier);
  for (const wall of walls) {
    const wrong = wall(from, to);
    if (wrong) return `'${specifier}': ${wrong}.`;
  }
  const kept = keptPackages.find((entry) => entry.package === to.package);
  if (!kept || within(from, ...kept.rooms) || (typeOnly && kept.types.includes(from))) return null;
  return `'${specifier}': only ${kept.rooms.map((room) => `${room}/`).join(', ')} may import ${kept.package}.`;
}

/** Whether a file may name Electron's raw IPC (`ipcMain`, `ipcRenderer`). */
export const mayTouchIpc = (/** @type {string} */ from) => !isProduct(from) || within(from, 'electron/ipc', 'electron/preload');

/** Whether a file may start git by name. */
export const mayStartGit = (/** @type {string} */ from) => !isProduct(from) || within(from, 'agent-core/git');
