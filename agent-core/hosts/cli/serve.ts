import { resolve } from 'node:path';
import type { Channel } from '../../contract/index.ts';
import type { Obtained } from '../attach.ts';
import { openBrowser, rendererFolder } from '../checkout.ts';
import { serve } from '../serve.ts';
import { atMost, readArgs } from './args.ts';
import { USAGE } from './help.ts';
import { complain, print, printJson, say } from './print.ts';
import { obtain, onInterrupt } from './session.ts';

export interface ServeWish {
  folder: string | null;
  port: number;
  open: boolean;
  json: boolean;
}

/** The home's core for as long as we serve: when the one that we attached to ends, the next page finds or becomes another. */
class Lasting {
  readonly #openOn: string | null;
  #current: Promise<Obtained>;

  constructor(first: Obtained, openOn: string | null) {
    this.#openOn = openOn;
    this.#current = Promise.resolve(first);
  }

  async open(pending: () => number): Promise<Channel> {
    const current = this.#current;
    const gone = await current.then(
      ({ client }) => client.closed,
      () => true,
    );
    // Of pages that come back at once, one asks for the next core.
    if (gone && current === this.#current) this.#current = obtain('serve', this.#openOn);
    return (await this.#current).open(pending);
  }
  async close(): Promise<void> {
    const last = await this.#current.catch(() => null);
    await last?.close();
  }
}

/** Serves the app until a signal ends it; with a core of our own, that ends too. */
export async function serveApp(wish: ServeWish): Promise<number> {
  const obtained = await obtain('serve', wish.folder);
  const core = new Lasting(obtained, wish.folder);
  const stopped = Promise.withResolvers<void>();
  onInterrupt(() => stopped.resolve());
  try {
    if (wish.folder) await obtained.client.call('project/open', { path: wish.folder });
    const served = await serve({ renderer: await rendererFolder(), port: wish.port, open: (pending) => core.open(pending) });
    if (wish.json) printJson({ url: served.url });
    else print(`Signalbox is at ${served.url}`);
    if (!obtained.own) say('Attached to the Signalbox that runs already.');
    if (wish.open && !(await openBrowser(served.url))) say('No browser could be opened: open the address yourself.');
    await stopped.promise;
    await served.close();
    return 0;
  } finally {
    await core.close().catch(complain);
  }
}

export async function run(args: string[]): Promise<number> {
  const parsed = readArgs(args, { port: { type: 'string' }, open: { type: 'boolean' }, json: { type: 'boolean' } }, USAGE.serve);
  atMost(parsed, 1, USAGE.serve);
  const [folder] = parsed.positionals;
  return serveApp({
    folder: folder === undefined ? null : resolve(folder),
    port: parsed.number('port', 0, 65_535) ?? 0,
    open: parsed.flag('open'),
    json: parsed.flag('json'),
  });
}
