/**
 * From the moment in which a model's first token leaves its server until it is painted in the conversation: server, core, WebSocket,
 * Chromium. Against a page that does nothing else: the `openai` client, a WebSocket, a text node. Both in the same run, in turns.
 */
import { execFileSync } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import OpenAI from 'openai';
import { chromium, type Page } from 'playwright';
import { WebSocket, WebSocketServer } from 'ws';
import { listen, readBody, startStream } from '../agent-core/demo/http.ts';
import { frame, responseEvents } from '../agent-core/demo/wire.ts';
import { webSocketChannel } from '../agent-core/hosts/channels.ts';
import { connectClient } from '../agent-core/hosts/client.ts';
import { chromiumArgs, serve } from '../test/e2e/support.ts';
import { median, ms, report, scratch, times } from './lib.ts';

const ROUNDS = 15;
const folder = scratch();
const now = (): number => performance.timeOrigin + performance.now();

/** When the first token of each answer left, by its words. */
const left = new Map<string, number>();

/** Answers "token 7" with `tok-7-…`; holds the first word back until everything before it has been shown. */
const model = await listen(async (request, response) => {
  const body = JSON.parse(await readBody(request)) as { model: string; input: { role?: string; content?: unknown }[] };
  const said = JSON.stringify(body.input.findLast(({ role }) => role === 'user')?.content ?? body.input.at(-1));
  const word = `tok-${/token (\w+)/.exec(said)?.[1] ?? 'x'}-end`;
  const events = [...responseEvents({ model: body.model }, [{ type: 'message', text: `${word} and some more of it` }])];
  const first = events.findIndex(({ type }) => type === 'response.output_text.delta');
  startStream(response);
  response.write(events.slice(0, first).map(frame).join(''));
  await sleep(250);
  left.set(word, now());
  response.write(frame(events[first]!));
  await sleep(150);
  response.end(
    events
      .slice(first + 1)
      .map(frame)
      .join(''),
  );
});
const url = `${model.origin}/v1`;

/** Tells when a word has been painted: the frame after the one in which it came into the page is over. */
const watch = (page: Page): Promise<void> =>
  page.evaluate(() => {
    const painted: Record<string, number> = {};
    Object.assign(globalThis, { painted });
    const look = (): void => {
      for (const [word] of document.body.textContent.matchAll(/tok-\w+-end/g)) {
        if (word in painted) continue;
        painted[word] = 0;
        requestAnimationFrame(() => {
          const after = new MessageChannel();
          after.port1.addEventListener('message', () => {
            painted[word] = performance.timeOrigin + performance.now();
          });
          after.port1.start();
          after.port2.postMessage(null);
        });
      }
    };
    new MutationObserver(look).observe(document.body, { childList: true, subtree: true, characterData: true });
  });
const paintedAt = async (page: Page, word: string): Promise<number> => {
  await page.waitForFunction((wanted) => (globalThis as unknown as { painted: Record<string, number> }).painted[wanted], word);
  return page.evaluate((wanted) => (globalThis as unknown as { painted: Record<string, number> }).painted[wanted]!, word);
};

const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: chromiumArgs });

/** The bare page, with what it needs behind it. */
const bareServer = createServer((_request, response) => {
  response.writeHead(200, { 'content-type': 'text/html' });
  response.end(
    '<!doctype html><p></p><script>new WebSocket("ws://"+location.host).onmessage=(e)=>document.querySelector("p").append(e.data)</script>',
  );
});
const bareSockets = new WebSocketServer({ server: bareServer });
await new Promise<void>((resolve) => bareServer.listen(0, '127.0.0.1', resolve));
const barePage = await browser.newPage();
await barePage.goto(`http://127.0.0.1:${(bareServer.address() as AddressInfo).port}/`);
await watch(barePage);
const client = new OpenAI({ baseURL: url, apiKey: 'k', maxRetries: 0 });
async function bare(n: string): Promise<void> {
  const stream = await client.responses.create({ model: 'm', stream: true, input: [{ role: 'user', content: `token ${n}` }] });
  for await (const event of stream)
    if (event.type === 'response.output_text.delta') for (const socket of bareSockets.clients) socket.send(event.delta);
}

/** Ours: `signalbox serve` in a process of its own, and its page on a task. */
const repo = join(folder, 'repo');
execFileSync('git', ['init', '-q', '-b', 'main', repo]);
execFileSync('git', ['-c', 'user.name=B', '-c', 'user.email=b@example.com', 'commit', '-q', '--allow-empty', '-m', 'First'], { cwd: repo });
const serving = await serve(join(folder, 'home'), [repo], { OPENAI_BASE_URL: url, OPENAI_API_KEY: 'k', SIGNALBOX_MODEL: 'm' });
const address = new URL(serving.url);
const socket = new WebSocket(`ws://${address.host}/wire`, { origin: address.origin });
await new Promise((resolve, reject) => {
  socket.on('open', resolve).on('error', reject);
});
const core = await connectClient(webSocketChannel(socket), { token: address.hash.replace('#token=', '') });
const project = await core.call('project/open', { path: repo });
const task = await core.call('task/create', { projectId: project.id, prompt: 'token warm', title: 'Words' });
const threadId = core.board.attempts[core.board.tasks[task.id]!.attempt!]!.threadId;
const idle = async (): Promise<void> => {
  while (core.board.threads[threadId]?.turn?.status !== 'completed') await sleep(20);
};
await idle();
const page = await browser.newPage();
await page.goto(serving.url);
await page.locator('main').first().waitFor();
await page.evaluate((hash) => {
  location.hash = hash;
}, `#/task/${task.id}`);
await page.getByText('tok-warm-end').first().waitFor();
await watch(page);

const measured = { ours: [] as number[], bare: [] as number[] };
for (let round = -1; round < ROUNDS; round++) {
  const [ourWord, bareWord] = [`o${round + 1}`, `b${round + 1}`];
  await page.bringToFront();
  await core.call('turn/start', { threadId, text: `token ${ourWord}` });
  const ours = (await paintedAt(page, `tok-${ourWord}-end`)) - left.get(`tok-${ourWord}-end`)!;
  await idle();
  await barePage.bringToFront();
  const answered = bare(bareWord);
  const plain = (await paintedAt(barePage, `tok-${bareWord}-end`)) - left.get(`tok-${bareWord}-end`)!;
  await answered;
  if (round < 0) continue;
  measured.ours.push(ours);
  measured.bare.push(plain);
}
const mine = median(measured.ours);
const plain = median(measured.bare);
report({
  what: 'first streamed token on screen after it left the model (core, WebSocket, Chromium)',
  value: `${ms(mine)}, ${times(mine / plain)}`,
  baseline: `a bare page doing the same ${ms(plain)}`,
  budget: '≤ 30 ms',
  ok: mine <= 30,
});
await browser.close();
socket.close();
await serving.stop();
bareSockets.close();
bareServer.closeAllConnections();
bareServer.close();
await model.close();
