import { createHash } from 'node:crypto';
import { existsSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium, type Browser } from 'playwright';
import { build } from 'vite';

const root = fileURLToPath(new URL('../../../', import.meta.url));

function stamp(folder: string, sum: ReturnType<typeof createHash>): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) stamp(path, sum);
    else sum.update(`${path}:${statSync(path).mtimeMs}`);
  }
}

/** The page as it ships, built once for each state of its sources and shared by the test files. Returns its folder. */
export async function builtPage(): Promise<string> {
  const sum = createHash('sha256');
  stamp(join(root, 'renderer'), sum);
  stamp(join(root, 'agent-core/contract'), sum);
  const folder = join(tmpdir(), `signalbox-page-${process.getuid?.() ?? 0}-${sum.digest('hex').slice(0, 16)}`);
  if (existsSync(folder)) return folder;
  const fresh = `${folder}.${process.pid}`;
  await build({ configFile: join(root, 'renderer/vite.config.ts'), logLevel: 'error', build: { outDir: fresh, emptyOutDir: true } });
  try {
    renameSync(fresh, folder);
  } catch {
    rmSync(fresh, { recursive: true, force: true });
  }
  return folder;
}

export const startBrowser = (): Promise<Browser> =>
  chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
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
