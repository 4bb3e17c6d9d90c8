import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright';
import type { FixtureCore } from './fixture-core.ts';

const root = resolve(import.meta.dirname, '../../..');
const built = join(root, 'dist/renderer/index.html');

const newest = (folder: string): number =>
  readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).reduce((latest, entry) => Math.max(latest, statSync(join(entry.parentPath, entry.name)).mtimeMs), 0);

/** Builds the page when a source is newer than the last build. */
export function buildRenderer(): void {
  const sources = Math.max(newest(join(root, 'renderer')), newest(join(root, 'agent-core/contract')));
  if (existsSync(built) && statSync(built).mtimeMs > sources) return;
  execFileSync(process.execPath, [join(root, 'node_modules/vite/bin/vite.js'), 'build', '-c', 'renderer/vite.config.ts', '--logLevel', 'error'], { cwd: root, stdio: 'pipe' });
}

export const launch = (): Promise<Browser> => chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});

export interface Opened { page: Page; problems: string[] }

/** Opens the page on a fixture core. `problems` gathers what the console and the CSP complain about. */
export async function open(browser: Browser, core: FixtureCore, options: BrowserContextOptions & { at?: string } = {}): Promise<Opened> {
  const { at, ...rest } = options;
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, colorScheme: 'dark', reducedMotion: 'reduce', ...rest });
  const page = await context.newPage();
  const problems: string[] = [];
  page.on('console', (message) => { if (['error', 'warning'].includes(message.type())) problems.push(message.text()); });
  page.on('pageerror', (error) => problems.push(String(error)));
  await page.goto(core.url);
  await page.locator('main').first().waitFor();
  if (at) await page.evaluate((hash) => { location.hash = hash; }, at);
  return { page, problems };
}
