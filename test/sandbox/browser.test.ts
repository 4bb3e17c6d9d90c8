import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import { installed, openMachine } from './helpers.ts';

const CHROMIUM = '/usr/bin/chromium';
const missing = !existsSync(CHROMIUM) || !installed('node') ? ' (skipped: needs /usr/bin/chromium and node)' : '';

/** What docs/browser-tests.md says to write, and no more. */
const SCRIPT = `
  import { createServer } from 'node:http';
  import { chromium } from 'playwright-core';
  const page = '<!doctype html><title>Inside</title><button onclick="document.title=\\'clicked\\'">Go</button><p>größer 日本</p>' +
    '<canvas id=c width=400 height=400></canvas><script>c.getContext("2d").fillRect(0,0,9,9); fetch("/data").then((r) => r.text()).then((t) => { document.body.dataset.got = t; })</script>';
  const server = createServer((request, response) => {
    response.setHeader('content-type', request.url === '/data' ? 'text/plain' : 'text/html; charset=utf-8');
    response.end(request.url === '/data' ? 'served inside' : page);
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const browser = await chromium.launch({ executablePath: '${CHROMIUM}' });
  const view = await browser.newPage();
  await view.goto('http://127.0.0.1:' + server.address().port + '/');
  await view.click('button');
  await view.waitForSelector('body[data-got]');
  const text = await view.evaluate(() => document.title + ', ' + document.body.dataset.got + ', ' + document.querySelector('p').textContent);
  // A large bitmap lies in /dev/shm.
  const shot = await view.screenshot({ fullPage: true, path: 'shot.png' });
  const wide = await view.evaluate(() => document.querySelector('p').getBoundingClientRect().height > 0);
  await browser.close();
  server.close();
  console.log(JSON.stringify({ text, bytes: shot.length > 1000, wide }));
`;

test.skipIf(missing !== '')(
  `Chromium, driven by Playwright, shows a page that is served in the workspace${missing}`,
  async () => {
    const { machine, worktree } = await openMachine();
    const from = dirname(createRequire(import.meta.url).resolve('playwright-core/package.json'));
    mkdirSync(join(worktree, 'node_modules'));
    cpSync(from, join(worktree, 'node_modules/playwright-core'), { recursive: true });
    writeFileSync(join(worktree, 'look.mjs'), SCRIPT);
    const { code, stdout, stderr } = await machine.collect({ argv: ['node', 'look.mjs'], signal: AbortSignal.timeout(100_000) });
    expect(code, stderr.toString()).toBe(0);
    expect(JSON.parse(stdout.toString())).toEqual({ text: 'clicked, served inside, größer 日本', bytes: true, wide: true });
    expect(existsSync(join(worktree, 'shot.png'))).toBe(true);
    // Nothing of it runs on: a browser that outlives its test would be there for the next one.
    expect((await machine.collect({ argv: ['pgrep', '-c', 'chrom'] })).stdout.toString().trim()).toBe('0');
  },
  120_000,
);
