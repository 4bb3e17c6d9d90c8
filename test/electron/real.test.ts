import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { _electron } from 'playwright';
import { describe, expect, it, type TestContext } from 'vitest';
import { build } from '../../scripts/build.mjs';
import { electronBinary, hasDisplay } from '../../scripts/lib/electron.mjs';
import { root } from '../../scripts/lib/run.mjs';

function needElectron({ skip }: TestContext): string {
  const binary = electronBinary();
  if (!binary) skip('the Electron binary is not on this machine (npx install-electron fetches it)');
  if (!hasDisplay(process.env)) skip('there is no display to show a window on');
  return binary ?? '';
}

/** What the stand-in can't prove, on the real thing, wherever that is. */
describe('the app in real Electron', () => {
  it('opens its page isolated and sandboxed, with a live core', async (context) => {
    const executablePath = needElectron(context);
    expect((await build({ force: false })).failed).toEqual([]);
    const home = mkdtempSync(join(tmpdir(), 'signalbox-real-'));
    const asRoot = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
    const env = { ...process.env, SIGNALBOX_HOME: join(home, 'home') } as Record<string, string>;
    const app = await _electron.launch({ executablePath, args: [...asRoot, root], env });
    try {
      const page = await app.firstWindow();
      await page.getByRole('button', { name: 'New task' }).first().waitFor();
      expect(page.url()).toMatch(/^app:\/\/signalbox\//);
      const node = await page.evaluate(() => ['require', 'process', 'Buffer', '__standIn'].filter((name) => name in window));
      expect(node).toEqual([]);
      await page.evaluate(() => void (window.location.href = 'https://example.com/'));
      expect(page.url()).toMatch(/^app:\/\/signalbox\//);
    } finally {
      await app.close();
      rmSync(home, { recursive: true, force: true, maxRetries: 5 });
    }
  });
});
