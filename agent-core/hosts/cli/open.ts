import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { locateRepository } from '../../git/repository.ts';
import { electronBinary, ensureBuilt, hasDisplay, installation } from '../checkout.ts';
import { resolveHome } from '../home.ts';
import { atMost, readArgs } from './args.ts';
import { USAGE } from './help.ts';
import { say } from './print.ts';
import { serveApp } from './serve.ts';

/** A window that ends this soon and not well could never be shown. */
const EARLY_MS = 8000;

/** The folder asked for; else, in a home without projects yet, the one we stand in if it is in a repository. */
async function folderToOpen(given: string | undefined): Promise<string | null> {
  if (given !== undefined) return resolve(given);
  if (existsSync(join(resolveHome(), 'signalbox.db')) || process.cwd() === installation()) return null;
  const here = process.cwd();
  return locateRepository(here).then(
    () => here,
    () => null,
  );
}

/** Runs the window to its end; null when it could not be shown. */
function runElectron(program: string, folder: string | null): Promise<number | null> {
  const began = Date.now();
  return new Promise((done) => {
    const child = spawn(program, [installation(), ...(folder ? [folder] : [])], { stdio: 'inherit' });
    const pass = (signal: NodeJS.Signals): void => {
      child.kill(signal);
    };
    process.on('SIGINT', pass).on('SIGTERM', pass);
    const end = (code: number | null): void => {
      process.off('SIGINT', pass).off('SIGTERM', pass);
      done(code);
    };
    child.on('error', () => end(null));
    child.on('exit', (code, signal) => end(signal ? 1 : code !== 0 && Date.now() - began < EARLY_MS ? null : (code ?? 1)));
  });
}

/** `signalbox [DIR]`: the window where Electron runs, else the same app in the browser, with one line that says why. */
export async function run(args: string[]): Promise<number> {
  const parsed = readArgs(args, {}, USAGE.open);
  atMost(parsed, 1, USAGE.open);
  const folder = await folderToOpen(parsed.positionals[0]);
  const program = electronBinary();
  let why = !hasDisplay(process.env) ? 'There is no display here' : !program ? 'Electron is not installed here' : '';
  if (program && !why) {
    await ensureBuilt(['dist/electron', 'dist/renderer']);
    const code = await runElectron(program, folder);
    if (code !== null) return code;
    why = 'Electron could not open a window';
  }
  say(`${why}: opening Signalbox in the browser instead.`);
  return serveApp({ folder, port: 0, open: hasDisplay(process.env), json: false });
}
