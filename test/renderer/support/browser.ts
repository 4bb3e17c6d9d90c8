import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright';
import type { FixtureCore } from './fixture-core.ts';

const root = resolve(import.meta.dirname, '../../..');
/** Builds the page into a folder of its own, which the caller removes: other tests build at the same time. */
export function buildRenderer(): string {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-page-'));
  execFileSync(
    process.execPath,
    [
      join(root, 'node_modules/vite/bin/vite.js'),
      'build',
      '-c',
      'renderer/vite.config.ts',
      '--outDir',
      folder,
      '--emptyOutDir',
      '--logLevel',
      'error',
    ],
    { cwd: root, stdio: 'pipe' },
  );
  return folder;
}

export const launch = (): Promise<Browser> =>
  chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });

export interface Opened {
  page: Page;
  problems: string[];
}

/** Opens the page on a fixture core. `problems` gathers what the console and the CSP complain about. */
export async function open(browser: Browser, core: FixtureCore, options: BrowserContextOptions & { at?: string } = {}): Promise<Opened> {
  const { at, ...rest } = options;
  const context = await browser.newContext({
    viewport: { width: 1440, height: 900 },
    colorScheme: 'dark',
    reducedMotion: 'reduce',
    ...rest,
  });
  const page = await context.newPage();
  const problems: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) problems.push(message.text());
  });
  page.on('pageerror', (error) => problems.push(String(error)));
  await page.goto(core.url);
  await page.locator('main').first().waitFor();
  if (at)
    await page.evaluate((hash) => {
      location.hash = hash;
    }, at);
  return { page, problems };
}
