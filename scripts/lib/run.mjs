import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout, absolute, without a slash at the end. */
export const root = fileURLToPath(new URL('../../', import.meta.url)).replace(/[/\\]$/, '');

/** Where the pinned Node of this platform lies once the dependencies are there; macOS has none. */
function pinnedPath() {
  const [folder, file] = process.platform === 'win32' ? ['win', 'node.exe'] : [process.platform, 'bin/node'];
  return join(root, 'node_modules', `node-${folder}-${process.arch}`, file);
}

/**
 * The Node that runs our TypeScript as it is: the pinned one, else this one when it is new enough.
 * @returns {string | null} absolute path, or null when there is none
 */
export function node24() {
  if (existsSync(pinnedPath())) return pinnedPath();
  return Number(process.versions.node.split('.')[0]) >= 24 ? process.execPath : null;
}

/**
 * The environment for what we start: our tools and the pinned Node come first on the PATH.
 * @returns {NodeJS.ProcessEnv}
 */
export function toolEnv() {
  return { ...process.env, PATH: [join(root, 'node_modules', '.bin'), process.env.PATH ?? ''].join(delimiter) };
}

/**
 * Runs a program to its end with this terminal.
 * @param {string} program
 * @param {string[]} args
 * @param {{ env?: NodeJS.ProcessEnv, cwd?: string, timeout?: number }} [options] `timeout` in milliseconds ends it
 * @returns {Promise<number>} its exit code; 127 when it can't be started, 128 + n when a signal ended it
 */
export function run(program, args, options = {}) {
  return new Promise((done) => {
    const child = spawn(program, args, { cwd: root, env: toolEnv(), ...options, stdio: 'inherit' });
    const pass = (/** @type {NodeJS.Signals} */ signal) => void child.kill(signal);
    process.on('SIGINT', pass).on('SIGTERM', pass);
    // npm that is ended by a signal leaves its shell's children behind: then end ours too.
    const parent = process.ppid;
    const orphaned = setInterval(() => process.ppid === parent || pass('SIGTERM'), 1000).unref();
    const end = (/** @type {number} */ code) => {
      clearInterval(orphaned);
      process.off('SIGINT', pass).off('SIGTERM', pass);
      done(code);
    };
    child.on('error', () => end(127));
    child.on('exit', (code, signal) => end(code ?? 128 + (signal === 'SIGINT' ? 2 : 15)));
  });
}

/**
 * Runs one of our JavaScript tools on the Node that the project is pinned to.
 * @param {string} file relative to the checkout
 * @param {string[]} args
 * @param {{ env?: NodeJS.ProcessEnv }} [options]
 */
export const runTool = (file, args, options = {}) => run(node24() ?? process.execPath, [join(root, file), ...args], options);

/**
 * Runs a program and gathers what it prints.
 * @param {string} program
 * @param {string[]} args
 * @param {number} [timeout] milliseconds after which it is ended
 */
export function capture(program, args, timeout) {
  const result = spawnSync(program, args, { cwd: root, env: toolEnv(), encoding: 'utf8', maxBuffer: 64 << 20, timeout });
  return { code: result.status ?? 127, output: `${result.stdout ?? ''}${result.stderr ?? ''}` };
}

/** Whether a program can be found on the PATH. @param {string} name */
export const onPath = (name) => (process.env.PATH ?? '').split(delimiter).some((folder) => folder !== '' && existsSync(join(folder, name)));
