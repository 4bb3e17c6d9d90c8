import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Failure } from '../contract/index.ts';

/** The folder that Signalbox runs from: a checkout, or where it is installed. The nearest one above with our package.json. */
export function installation(from = import.meta.dirname): string {
  for (let folder = from; ; folder = dirname(folder)) {
    const file = join(folder, 'package.json');
    if (existsSync(file) && (JSON.parse(readFileSync(file, 'utf8')) as { name?: string }).name === 'signalbox') return folder;
    if (folder === dirname(folder)) throw new Failure('internal', 'Signalbox does not find its own files.', { fix: 'Install it again.' });
  }
}

/** Runs one of the checkout's own scripts with this Node; its output goes to stderr. The exit code. */
function runScript(root: string, script: string, args: string[]): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [join(root, script), ...args], { cwd: root, stdio: ['ignore', 2, 2] });
    child.on('error', () => resolve(127));
    child.on('exit', (code) => resolve(code ?? 1));
  });
}

/** Brings built parts (`dist/renderer`, …) up to date in a checkout; what is installed has them. Throws `internal` when that fails. */
export async function ensureBuilt(parts: string[]): Promise<void> {
  const root = installation();
  const script = join('scripts', 'build.mjs');
  if (!existsSync(join(root, script))) return;
  if ((await runScript(root, script, ['--stale', ...parts])) === 0) return;
  // What was built before is better than nothing.
  if (parts.every((part) => existsSync(join(root, part)))) return;
  throw new Failure('internal', `${parts.join(' and ')} could not be built.`, {
    fix: `See above. To try again: cd ${root} && npm run build`,
  });
}

/** The folder of the built page, made first where it is missing or stale. */
export async function rendererFolder(): Promise<string> {
  await ensureBuilt(['dist/renderer']);
  const folder = join(installation(), 'dist', 'renderer');
  if (existsSync(join(folder, 'index.html'))) return folder;
  throw new Failure('internal', `The page is not built: ${folder} is missing.`, { fix: `cd ${installation()} && npm run build` });
}

/** Electron's program in this checkout, or null where it was never fetched. */
export function electronBinary(): string | null {
  const folder = join(installation(), 'node_modules', 'electron');
  try {
    const path = join(folder, 'dist', readFileSync(join(folder, 'path.txt'), 'utf8').trim());
    return existsSync(path) ? path : null;
  } catch {
    return null;
  }
}

export const hasDisplay = (env: NodeJS.ProcessEnv): boolean =>
  process.platform !== 'linux' || Boolean(env['DISPLAY'] || env['WAYLAND_DISPLAY']);

/** Opens an address in the person's browser. False when there is none to ask. */
export function openBrowser(url: string): Promise<boolean> {
  const [program, ...args] =
    process.platform === 'darwin'
      ? ['open', url]
      : process.platform === 'win32'
        ? ['rundll32', 'url.dll,FileProtocolHandler', url]
        : ['xdg-open', url];
  return new Promise((resolve) => {
    const child = spawn(program!, args, { stdio: 'ignore', detached: true });
    child.once('error', () => resolve(false));
    child.once('spawn', () => {
      child.unref();
      resolve(true);
    });
  });
}
