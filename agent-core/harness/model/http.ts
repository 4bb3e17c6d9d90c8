import { Readable } from 'node:stream';
import { EnvHttpProxyAgent, request, type Dispatcher } from 'undici';

/**
 * A `fetch` over `undici.request`: half the processor time per request of the built-in one. It has what the
 * `openai` client uses of a Response and no more. Time-outs are the caller's; proxies come from the environment.
 */

let shared: Dispatcher | null = null;
const dispatcher = (): Dispatcher => (shared ??= new EnvHttpProxyAgent({ headersTimeout: 0, bodyTimeout: 0, connectTimeout: 15_000 }));

const headersOf = (raw: Record<string, string | string[] | undefined>): Headers => {
  const headers = new Headers();
  for (const [name, value] of Object.entries(raw)) {
    for (const one of Array.isArray(value) ? value : [value]) if (one !== undefined) headers.append(name, one);
  }
  return headers;
};

export const leanFetch: typeof fetch = async (input, init = {}) => {
  const url = input instanceof Request ? input.url : String(input);
  const reply = await request(url, {
    dispatcher: dispatcher(),
    method: (init.method ?? 'GET') as Dispatcher.HttpMethod,
    headers: Object.fromEntries(new Headers(init.headers)),
    body: (init.body ?? null) as string | null,
    signal: init.signal ?? undefined,
  });
  // A body that nobody reads any more may still fail when its socket is cut.
  reply.body.on('error', () => {});
  const response = {
    status: reply.statusCode,
    ok: reply.statusCode >= 200 && reply.statusCode < 300,
    statusText: '',
    url,
    redirected: false,
    headers: headersOf(reply.headers),
    body: reply.body satisfies Readable,
    text: () => reply.body.text(),
    json: () => reply.body.json(),
  };
  return response as unknown as Response;
};
