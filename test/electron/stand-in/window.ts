import { EventEmitter } from 'node:events';
import { readFileSync } from 'node:fs';
import { chromium, type Browser, type Frame, type Page, type Request as WebRequest, type Route } from 'playwright';
import type { Call } from './page-side.ts';
import { preloadScript } from './page-side.ts';
import { Handed, type Port } from './ports.ts';

/** Chromium knows no app:// without Electron: each host of it becomes an https host that only the stand-in answers. */
export const toWeb = (address: string): string => address.replace(/^app:\/\/([^/]+)/, 'https://$1.app.test');
export const toApp = (address: string): string => address.replace(/^https:\/\/([^/]+)\.app\.test/, 'app://$1');

export const handlers = new Map<string, (request: Request) => Promise<Response> | Response>();
export const ipcMain = Object.assign(new EventEmitter(), {
  handlers: new Map<string, (event: object, ...args: unknown[]) => unknown>(),
  handle(channel: string, handler: (event: object, ...args: unknown[]) => unknown) {
    ipcMain.handlers.set(channel, handler);
  },
});

let browser: Promise<Browser> | null = null;
/** The browser that the test started; both drive it over its debugging port. */
const connect = (): Promise<Browser> => (browser ??= chromium.connectOverCDP(process.env.STAND_IN_BROWSER ?? ''));
export const leave = async (): Promise<void> => void (await (await browser)?.close().catch(() => undefined));

const senderOf = (frame: Frame) => ({ url: toApp(frame.url()), parent: frame.parentFrame() ? {} : null });

/** Electron's events about navigation: who listens may prevent it. */
function prevented(contents: EventEmitter, name: string, url: string): boolean {
  let stopped = false;
  contents.emit(name, { url, preventDefault: () => (stopped = true) });
  return stopped;
}

/** Which page a request is for; a window that is only just being opened has none yet. */
function pageOf(request: WebRequest): Page | null {
  try {
    return request.frame().page();
  } catch {
    return null;
  }
}

/** No content: the browser stays where it is, without an error page. */
const stay = (route: Route): Promise<void> => route.fulfill({ status: 204 });

export class WebContents extends EventEmitter {
  readonly ready: Promise<Page>;
  readonly #handed = new Handed();
  #openHandler: ((details: { url: string }) => { action: string }) | null = null;
  #ours = '';

  constructor(preload: string) {
    super();
    this.ready = this.#open(preload);
  }

  setWindowOpenHandler(handler: (details: { url: string }) => { action: string }): void {
    this.#openHandler = handler;
  }

  async loadURL(address: string): Promise<void> {
    const page = await this.ready;
    this.#ours = toWeb(address);
    await page.goto(this.#ours);
  }

  send(channel: string, ...args: unknown[]): void {
    this.#deliver(channel, args, []);
  }

  postMessage(channel: string, message: unknown, ports: Port[] = []): void {
    const ids = ports.map((port) =>
      this.#handed.hand(
        port,
        (id, data) => this.#evaluate((page) => page.evaluate(([to, value]) => window.__standIn.port(to, value), [id, data] as const)),
        (id) => this.#evaluate((page) => page.evaluate((to) => window.__standIn.closePort(to), id)),
      ),
    );
    this.#deliver(channel, [message], ids);
  }

  #deliver(channel: string, args: unknown[], ids: number[]): void {
    this.#evaluate((page) =>
      page.evaluate(([to, values, made]) => window.__standIn.deliver(to, values, made), [channel, args, ids] as const),
    );
  }

  #evaluate(work: (page: Page) => Promise<unknown>): void {
    void this.ready.then(work).catch(() => undefined);
  }

  async #open(preload: string): Promise<Page> {
    const context = (await connect()).contexts()[0];
    if (!context) throw new Error('the browser has no context');
    const page = await context.newPage();
    await page.exposeBinding('__standInCall', ({ frame }, call: Call) => this.#take(frame, call));
    await page.addInitScript({ content: preloadScript(readFileSync(preload, 'utf8')) });
    await context.route('**/*', (route) => this.#route(page, route));
    page.on('popup', (popup) => void popup.close().catch(() => undefined));
    return page;
  }

  async #route(page: Page, route: Route): Promise<void> {
    const request = route.request();
    const url = toApp(request.url());
    const elsewhere = !page.mainFrame().url().startsWith('about:') || !request.url().startsWith(this.#ours);
    if (request.isNavigationRequest()) {
      if (pageOf(request) !== page) return stay(route);
      if (elsewhere && prevented(this, 'will-navigate', url)) return stay(route);
    }
    const handler = handlers.get(new URL(url).protocol.slice(0, -1));
    if (!handler) return route.continue();
    const response = await handler(new Request(url, { method: request.method() }));
    return route.fulfill({
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: Buffer.from(await response.arrayBuffer()),
    });
  }

  async #take(frame: Frame, call: Call): Promise<unknown> {
    const event = { senderFrame: senderOf(frame), sender: this };
    if (call.kind === 'port') this.#handed.fromThere(call.id, call.data);
    else if (call.kind === 'close') this.#handed.closedThere(call.id);
    else if (call.kind === 'open') return this.#openHandler?.({ url: toApp(call.url) }).action !== 'deny';
    else if (call.kind === 'send') ipcMain.emit(call.channel, event, ...call.args);
    else return ipcMain.handlers.get(call.channel)?.(event, ...call.args);
    return undefined;
  }
}
