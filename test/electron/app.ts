import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright';
import { build } from '../../scripts/build.mjs';
import { chromiumPaths } from '../../scripts/lib/system.mjs';
import { root } from '../../scripts/lib/run.mjs';
import type { Order, Report } from './stand-in/control.ts';

/** A condition that comes true in its own time; says what was waited for when it doesn't. */
export async function until<T>(what: string, probe: () => T | Promise<T>, ms = 20_000): Promise<NonNullable<T>> {
  const limit = Date.now() + ms;
  for (;;) {
    const value = await probe();
    if (value) return value;
    if (Date.now() > limit) throw new Error(`waited ${ms} ms for ${what}`);
    await new Promise((next) => setTimeout(next, 50));
  }
}

/**
 * A Chromium with a debugging port that the app and the test both drive. Electron's pages hear when a port's other end
 * closes; Chromium's own only with this feature.
 */
async function startBrowser(profile: string): Promise<{ process: ChildProcess; endpoint: string }> {
  const program = chromiumPaths.find((path) => existsSync(path));
  if (!program) throw new Error('no Chromium on this machine: npm run setup -- --tests');
  const flags = [
    '--headless=new',
    '--no-sandbox',
    '--disable-gpu',
    '--no-first-run',
    '--disable-dev-shm-usage',
    '--remote-debugging-port=0',
    '--enable-blink-features=MessagePortCloseEvent',
  ];
  const child = spawn(program, [...flags, `--user-data-dir=${profile}`, 'about:blank'], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const endpoint = await until('Chromium', () => /DevTools listening on (ws:\S+)/.exec(said)?.[1]);
  return { process: child, endpoint };
}

export interface App {
  page: Page;
  home: string;
  reports: Report[];
  order(order: Order): void;
  /** Waits for the n-th report of a kind (from 1). */
  told<K extends Report['kind']>(kind: K, count?: number): Promise<Extract<Report, { kind: K }>>;
  stderr(): string;
  close(): Promise<void>;
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  await gone;
}

/** Starts the built app on the stand-in `electron`, in a home of its own. */
export async function startApp(env: Record<string, string> = {}): Promise<App> {
  const { failed } = await build({ force: false });
  if (failed.length > 0) throw new Error(failed.join(', '));
  const home = mkdtempSync(join(tmpdir(), 'signalbox-electron-'));
  const browser = await startBrowser(join(home, 'chromium'));
  const reports: Report[] = [];
  let said = '';
  const child = fork(join(root, 'dist/electron/main.mjs'), [], {
    execArgv: ['--import', new URL('./stand-in/register.ts', import.meta.url).href],
    env: { ...process.env, SIGNALBOX_HOME: join(home, 'home'), STAND_IN_BROWSER: browser.endpoint, ...env },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  child.on('message', (message: Report) => reports.push(message));
  const driver: Browser = await chromium.connectOverCDP(browser.endpoint);
  const close = async (): Promise<void> => {
    await driver.close();
    if (child.connected) child.send({ kind: 'quit' } satisfies Order);
    await Promise.race([once(child, 'exit'), new Promise((late) => setTimeout(late, 5000))]);
    await end(child, 'SIGKILL');
    await end(browser.process, 'SIGKILL');
    rmSync(home, { recursive: true, force: true, maxRetries: 5 });
  };
  const ours = () =>
    driver
      .contexts()[0]
      ?.pages()
      .find((page) => page.url().startsWith('https://signalbox.app.test'));
  const page = await until('the window', ours).catch(async (error: unknown) => {
    await close();
    throw new Error(`${String(error)}\n${said}`);
  });
  const told = <K extends Report['kind']>(kind: K, count = 1) =>
    until(`report ${kind}`, () => reports.filter((one) => one.kind === kind)[count - 1] as Extract<Report, { kind: K }> | undefined);
  return {
    page,
    home: join(home, 'home'),
    reports,
    order: (order) => void (child.connected && child.send(order)),
    told,
    stderr: () => said,
    close,
  };
}
