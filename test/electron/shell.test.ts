import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Request as WireRequest, WIRE_VERSION, type Snapshot } from '../../agent-core/contract/index.ts';
import type { Bridge } from '../../electron/ipc/channels.ts';
import { startApp, until, type App } from './app.ts';

interface Answer {
  kind: string;
  id?: number;
  value?: unknown;
}
interface Probe {
  port: MessagePort;
  got: Answer[];
  closed: boolean;
}
declare global {
  interface Window {
    signalbox?: Bridge;
    probe: Probe | undefined;
  }
}

/** Asks for a port of the page's own, beside the app's, and says hello to the core over it. */
async function hello(app: App): Promise<Snapshot> {
  const request = WireRequest.parse({ id: 1, method: 'initialize', params: { version: WIRE_VERSION } });
  await app.page.evaluate((first) => {
    window.probe = undefined;
    const take = (event: MessageEvent): void => {
      const port = event.ports[0];
      if (event.data !== 'signalbox:port' || !port) return;
      window.removeEventListener('message', take);
      const probe: Probe = { port, got: [], closed: false };
      port.addEventListener('message', ({ data }: MessageEvent<Answer>) => probe.got.push(data));
      port.addEventListener('close', () => (probe.closed = true));
      port.start();
      window.probe = probe;
      port.postMessage(first);
    };
    window.addEventListener('message', take);
    window.signalbox?.connect();
  }, request);
  const answer = await until('an answer of the core', () =>
    app.page.evaluate(() => window.probe?.got.find((message) => message.id === 1) ?? null),
  );
  expect(answer.kind).toBe('result');
  return answer.value as Snapshot;
}

describe('the Electron shell on the stand-in electron module', () => {
  let app: App;
  let elsewhere: { url: string; hits: string[]; close(): Promise<void> };

  beforeAll(async () => {
    const hits: string[] = [];
    const server = createServer((request, response) => {
      hits.push(request.url ?? '');
      response.writeHead(200, { 'access-control-allow-origin': '*' }).end('elsewhere');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    elsewhere = {
      url,
      hits,
      close: async () => {
        server.closeAllConnections();
        server.close();
        await once(server, 'close');
      },
    };
    app = await startApp();
  });
  afterAll(async () => {
    await app?.close();
    await elsewhere?.close();
  });

  it('opens the page from app:// with a strict policy', async () => {
    const policy = await app.page.evaluate(async () => (await fetch('/')).headers.get('content-security-policy'));
    expect(policy).toContain("script-src 'self'");
    expect(policy).not.toContain('unsafe-eval');
    expect(await app.page.evaluate(async () => (await fetch('/../../package.json')).status)).toBe(404);
    expect(await app.page.evaluate(async () => (await fetch('/%2e%2e%2felectron%2fmain.mjs')).status)).toBe(404);
    const inline = await app.page.evaluate(() => {
      const script = document.createElement('script');
      script.textContent = 'window.probe = "ran"';
      document.head.append(script);
      return window.probe;
    });
    expect(inline).toBeUndefined();
  });

  it('shows the app, connected to a core of its own process', async () => {
    await app.page.getByRole('button', { name: 'New task' }).first().waitFor();
    const core = await app.told('core');
    expect(core.pid).toBeGreaterThan(0);
  });

  it('gives the page the bridge and nothing of Node', async () => {
    const seen = await app.page.evaluate(() => ({
      bridge: Object.keys(window.signalbox ?? {}).toSorted(),
      node: [typeof Reflect.get(window, 'require'), typeof Reflect.get(window, 'process'), typeof Reflect.get(window, 'Buffer')],
    }));
    expect(seen.bridge).toEqual(['connect', 'notify', 'onCommand', 'openLink', 'pickFolder', 'platform']);
    expect(seen.node).toEqual(['undefined', 'undefined', 'undefined']);
  });

  it('answers the contract over a MessagePort', async () => {
    const snapshot = await hello(app);
    expect(snapshot.host.kind).toBe('electron');
  });

  it('asks the system for a folder', async () => {
    app.order({ kind: 'pick', path: '/some/where' });
    expect(await app.page.evaluate(() => window.signalbox?.pickFolder())).toBe('/some/where');
    app.order({ kind: 'pick', path: null });
    expect(await app.page.evaluate(() => window.signalbox?.pickFolder())).toBeNull();
  });

  it('stays on its own page and opens no windows', async () => {
    const home = app.page.url();
    await app.page.evaluate((url) => void (window.location.href = url), elsewhere.url);
    await app.page.evaluate((url) => void window.open(url), `${elsewhere.url}window`);
    expect((await app.told('opened-link')).url).toBe(`${elsewhere.url}window`);
    expect(app.page.url()).toBe(home);
    expect(elsewhere.hits).toEqual([]);
  });

  it('opens only links of known schemes, in the person’s browser', async () => {
    const before = app.reports.filter((report) => report.kind === 'opened-link').length;
    await app.page.evaluate(() => {
      for (const url of ['file:///etc/passwd', 'javascript:alert(1)', 'smb://x/y', 'nonsense', 'https://example.com/a'])
        void window.signalbox?.openLink(url);
    });
    expect((await app.told('opened-link', before + 1)).url).toBe('https://example.com/a');
    expect(app.reports.filter((report) => report.kind === 'opened-link')).toHaveLength(before + 1);
  });

  it('reaches no other origin from the page', async () => {
    const outcome = await app.page.evaluate(
      (url) =>
        fetch(url).then(
          () => 'reached',
          () => 'refused',
        ),
      elsewhere.url,
    );
    expect(outcome).toBe('refused');
    expect(elsewhere.hits).toEqual([]);
  });

  it('denies permissions, but lets its own page write to the clipboard', async () => {
    const wanted = [
      ['notifications', 'app://signalbox/', false],
      ['media', 'app://signalbox/', false],
      ['clipboard-read', 'app://signalbox/', false],
      ['clipboard-sanitized-write', 'https://example.com/', false],
      ['clipboard-sanitized-write', 'app://signalbox/', true],
    ] as const;
    for (const [permission, url] of wanted) app.order({ kind: 'ask-permission', permission, url });
    await app.told('permission', wanted.length);
    const answers = app.reports.filter((report) => report.kind === 'permission').map((report) => report.allowed);
    expect(answers).toEqual(wanted.map(([, , allowed]) => allowed));
  });

  it('tells the page what the menu and a second start ask for', async () => {
    await app.page.evaluate(() => {
      const heard: string[] = [];
      Reflect.set(window, 'heard', heard);
      window.signalbox?.onCommand(({ action, subject }) => heard.push(`${action} ${subject ?? ''}`.trim()));
    });
    const heard = (text: string) =>
      until(text, () => app.page.evaluate((one) => (Reflect.get(window, 'heard') as string[]).includes(one), text));
    app.order({ kind: 'click-menu', label: 'New task' });
    await heard('task.new');
    await app.page.getByRole('dialog').waitFor();
    await app.page.keyboard.press('Escape');
    app.order({ kind: 'second-instance', argv: ['electron', '.', 'repo'], cwd: '/there' });
    await heard('project.open /there/repo');
    await app.page.getByText('There is no folder at /there/repo').waitFor();
  });

  it('notifies only while the person looks elsewhere', async () => {
    app.order({ kind: 'focus', focused: true });
    await app.page.evaluate(() => window.signalbox?.notify({ title: 'unseen', body: '' }));
    // The page's calls come in order: once this one is answered, the one before it was heard.
    await app.page.evaluate(() => window.signalbox?.pickFolder());
    app.order({ kind: 'focus', focused: false });
    await app.page.evaluate(() =>
      window.signalbox?.notify({ title: 'Task', body: 'needs you', command: { action: 'task.open', subject: 't1' } }),
    );
    expect((await app.told('notified')).title).toBe('Task');
    app.order({ kind: 'focus', focused: true });
  });

  it('keeps the window when the core dies, and starts another', async () => {
    await hello(app);
    const first = await app.told('core');
    await app.page.evaluate(() => {
      const words = 'The connection to the core is lost';
      new MutationObserver(() => document.body.textContent.includes(words) && Reflect.set(window, 'saidSo', true)).observe(document.body, {
        childList: true,
        subtree: true,
      });
    });
    process.kill(first.pid, 'SIGKILL');
    await until('the page to hear of it', () => app.page.evaluate(() => window.probe?.closed ?? false));
    await until('the page to say so', () => app.page.evaluate(() => Reflect.get(window, 'saidSo') === true));
    const second = await app.told('core', 2);
    expect(second.pid).not.toBe(first.pid);
    const snapshot = await hello(app);
    expect(snapshot.host.kind).toBe('electron');
    await app.page.getByRole('button', { name: 'New task' }).first().waitFor();
  });
});

describe('a key where the system keeps keys', () => {
  it('goes to main, encrypted, and not into the core’s own file', async () => {
    const app = await startApp({ STAND_IN_KEYS: '1', OPENAI_API_KEY: '', OPENAI_BASE_URL: '' });
    try {
      await hello(app);
      const call = { id: 2, method: 'settings/write', params: { change: {}, key: 'sk-very-secret' } };
      await app.page.evaluate((message) => window.probe?.port.postMessage(message), call);
      const answer = await until('the answer', () =>
        app.page.evaluate(() => window.probe?.got.find((message) => message.id === 2) ?? null),
      );
      expect(answer.kind).toBe('result');
      expect(readFileSync(join(app.home, 'window', 'key.bin'), 'utf8')).toBe('terces-yrev-ks');
      expect(existsSync(join(app.home, 'secrets.json'))).toBe(false);
    } finally {
      await app.close();
    }
  });
});
