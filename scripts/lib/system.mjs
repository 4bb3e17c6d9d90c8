import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { capture, onPath, run } from './run.mjs';

/** @typedef {{ name: string, why: string, packages: string[], there: () => boolean, elsewhere: string }} Need */

/** @type {Need} */
export const testTools = {
  name: 'curl and ps',
  why: 'what the tests ask servers and processes with',
  packages: ['curl', 'procps'],
  there: () => process.platform === 'win32' || ['curl', 'ps', 'pgrep'].every(onPath),
  elsewhere: 'install curl and procps with your package manager',
};

/** Where a Chromium for the tests may lie; the first that exists is taken. */
export const chromiumPaths = [
  process.env.CHROMIUM ?? '',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
].filter((path) => path !== '');

/** @type {Need} */
export const bubblewrap = {
  name: 'bubblewrap',
  why: 'the sandbox that every task runs in',
  packages: ['bubblewrap'],
  there: () => process.platform !== 'linux' || onPath('bwrap'),
  elsewhere: 'install the package "bubblewrap" with your package manager',
};

/** @type {Need} */
export const chromium = {
  name: 'Chromium',
  why: 'the end-to-end tests',
  packages: ['chromium', 'fonts-liberation'],
  there: () => chromiumPaths.some((path) => existsSync(path)),
  elsewhere: 'install Chromium or Google Chrome, or set CHROMIUM to its path',
};

/** @type {Need} */
export const git = {
  name: 'git',
  why: 'worktrees, diffs and landing',
  packages: ['git'],
  there: () => onPath(process.platform === 'win32' ? 'git.exe' : 'git'),
  elsewhere: 'install git from https://git-scm.com',
};

const asks = () => process.env.CI !== 'true' && process.stdin.isTTY === true && process.stdout.isTTY === true;

/** @param {string} command */
async function agreed(command) {
  if (!asks()) return true;
  const prompt = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await prompt.question(`Run "${command}" now? [Y/n] `);
  prompt.close();
  return !/^n/i.test(answer.trim());
}

/**
 * How to become root: nothing to do, `sudo` where it works (with a password only at a terminal), else null.
 * @param {number | undefined} uid
 */
function elevation(uid) {
  if (uid === 0) return [];
  if (!onPath('sudo')) return null;
  return asks() || capture('sudo', ['-n', 'true']).code === 0 ? ['sudo'] : null;
}

/**
 * Installs what is missing with apt-get, where that is allowed.
 * @param {Need[]} needs
 * @param {number} [uid] who asks
 * @returns {Promise<string[]>} a line for each need that is still not met, with the exact command to run
 */
export async function ensureSystem(needs, uid = process.getuid?.()) {
  const missing = needs.filter((need) => !need.there());
  if (missing.length === 0) return [];
  const names = missing.map((need) => `${need.name} (${need.why})`).join(' and ');
  if (!onPath('apt-get')) return missing.map((need) => `${need.name} is missing (${need.why}): ${need.elsewhere}.`);
  const install = ['apt-get', 'install', '-y', '--no-install-recommends', ...missing.flatMap((need) => need.packages)];
  const byHand = `sudo apt-get update && sudo ${install.join(' ')}`;
  const how = elevation(uid);
  if (!how) return [`Missing: ${names}. Only root can install it here. Run: ${byHand}`];
  console.log(`Missing: ${names}.`);
  const command = [...how, ...install].join(' ');
  if (!(await agreed(command))) return [`Missing: ${names}. Run: ${byHand}`];
  await installNow(how, install);
  return missing.filter((need) => !need.there()).map((need) => `${need.name} could not be installed. Run: ${byHand}`);
}

/** A first try with the package lists that are there, then once more with fresh ones. @param {string[]} how @param {string[]} install */
async function installNow(how, install) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const as = (/** @type {string[]} */ argv) => run([...how, ...argv][0] ?? '', [...how, ...argv].slice(1), { env });
  const known = capture('apt-cache', ['policy', ...install.slice(4)]).output;
  const listed = install.slice(4).every((name) => known.includes(`${name}:`)) && !known.includes('Candidate: (none)');
  if (listed && (await as(install)) === 0) return;
  if ((await as(['apt-get', 'update'])) === 0) await as(install);
}
