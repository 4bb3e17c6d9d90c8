import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { frame, type WireEvent } from './wire.ts';

const BODY_LIMIT = 64 * 1024 * 1024;

export interface LocalServer {
  /** `http://127.0.0.1:<port>`, without a path. */
  origin: string;
  /** Stops listening and cuts every open connection. */
  close(): Promise<void>;
}

/** An HTTP server on a free loopback port. A handler that throws answers 500 if nothing was sent yet, else cuts the connection. */
export async function listen(handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>): Promise<LocalServer> {
  const listener: RequestListener = (request, response) => {
    handle(request, response).catch((thrown: unknown) => {
      if (response.headersSent) return response.destroy();
      const message = thrown instanceof Error ? thrown.message : String(thrown);
      sendJson(response, 500, { error: { message, type: 'server_error', param: null, code: null } });
    });
  };
  // Importing it would read all its exports, and one of them loads the whole of undici: 30 ms of every start.
  const server = process.getBuiltinModule('node:http').createServer(listener);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The request's body as text; rejects past 64 MiB. */
export async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > BODY_LIMIT) throw new Error('The request is larger than 64 MiB.');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

export function sendJson(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

export function startStream(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' });
}

/** Resolves when the reader has room again or is gone. */
const drained = (response: ServerResponse) =>
  new Promise<void>((resolve) => {
    const settle = () => {
      response.off('drain', settle);
      response.off('close', settle);
      resolve();
    };
    response.on('drain', settle);
    response.on('close', settle);
  });

/** Patches and arguments come faster than words: nobody reads along. */
const paceOf = (event: WireEvent, pace: number) =>
  event.type.endsWith('text.delta') ? pace : event.type.endsWith('.delta') ? pace / 6 : 0;

/**
 * Writes events to a started stream, `pace` milliseconds before each delta of text (0: in one go).
 * Ends early, quietly, when the reader goes away; never waits for more than the reader takes.
 */
export async function writeEvents(response: ServerResponse, events: Iterable<WireEvent>, pace: number): Promise<void> {
  let pending = '';
  const flush = async () => {
    const text = pending;
    pending = '';
    if (text && !response.write(text)) await drained(response);
  };
  for (const event of events) {
    if (response.destroyed) return;
    const wait = paceOf(event, pace);
    if (wait > 0) {
      await flush();
      await sleep(wait);
    }
    pending += frame(event);
    if (pending.length > 64 * 1024) await flush();
  }
  await flush();
}
