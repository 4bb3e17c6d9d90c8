import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright';

export const root = join(import.meta.dirname, '../..');
export const signalbox = join(root, 'bin/signalbox');

export const chromiumArgs = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export function tempFolder(name: string): string {
  return mkdtempSync(join(tmpdir(), `signalbox-${name}-`));
}
export const remove = (folder: string): void => rmSync(folder, { recursive: true, force: true, maxRetries: 5 });

/** The tests' own environment: a home of its own, no key, no address of a model. */
export function cleanEnv(home: string, more: Record<string, string> = {}): Record<string, string> {
  const { OPENAI_API_KEY: _key, OPENAI_BASE_URL: _url, SIGNALBOX_MODEL: _model, ...rest } = process.env;
  return { ...(rest as Record<string, string>), SIGNALBOX_HOME: home, ...more };
}

export interface Serving {
  url: string;
  child: ChildProcess;
  stderr(): string;
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** `signalbox serve --json` on a home; resolves with its address. */
export async function serve(home: string, args: string[] = [], env: Record<string, string> = {}): Promise<Serving> {
  const child = spawn(signalbox, ['serve', '--json', '--port', '0', ...args], {
    env: cleanEnv(home, env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
      const line = out.split('\n').find((each) => each.startsWith('{'));
      if (line && out.includes('\n')) resolve((JSON.parse(line) as { url: string }).url);
    });
    child.once('exit', (code) => reject(new Error(`serve ended with ${code}: ${err}`)));
  });
  return {
    url,
    child,
    stderr: () => err,
    stop: async (signal = 'SIGTERM') => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill(signal);
      await once(child, 'exit');
    },
  };
}

/** Runs a command of ours to its end. */
export async function cli(
  home: string,
  args: string[],
  options: { env?: Record<string, string>; cwd?: string; input?: string } = {},
): Promise<{ code: number | null; stdout: string; stderr: string; json: Record<string, unknown>[] }> {
  const child = spawn(signalbox, args, { env: cleanEnv(home, options.env), cwd: options.cwd ?? root, stdio: ['pipe', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdin.end(options.input ?? '');
  const [code] = (await once(child, 'close')) as [number | null];
  const json = stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { code, stdout, stderr, json };
}

let shared: Browser | null = null;
export async function openPage(url: string, options: { width?: number; height?: number; scheme?: 'light' | 'dark' } = {}): Promise<Page> {
  shared ??= await chromium.launch({ executablePath: '/usr/bin/chromium', args: chromiumArgs });
  const context = await shared.newContext({
    viewport: { width: options.width ?? 1440, height: options.height ?? 900 },
    colorScheme: options.scheme ?? 'dark',
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  await page.goto(url);
  return page;
}
export async function closeBrowser(): Promise<void> {
  await shared?.close();
  shared = null;
}
