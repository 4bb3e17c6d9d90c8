import { protocol } from 'electron';
import { readFile, realpath } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';
import { isOurPage } from '../ipc/sender.ts';

/** Scripts and workers from our own files only; xterm and the diff view write styles, so those may be inline. */
export const CSP = [
  "default-src 'none'",
  "script-src 'self'",
  "worker-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
};

const headers = (type: string): Record<string, string> => ({
  'Content-Type': type,
  'Content-Security-Policy': CSP,
  'X-Content-Type-Options': 'nosniff',
  'Cross-Origin-Opener-Policy': 'same-origin',
});

const notFound = (): Response => new Response('Not found', { status: 404, headers: headers('text/plain; charset=utf-8') });

/** Must run before the app is ready. */
export function declareScheme(): void {
  protocol.registerSchemesAsPrivileged([
    { scheme: 'app', privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true } },
  ]);
}

/** The file of an address, or null when it leads out of the folder or names nothing. */
async function fileOf(folder: string, address: string): Promise<string | null> {
  try {
    const path = decodeURIComponent(new URL(address).pathname);
    const file = await realpath(join(folder, path === '/' ? 'index.html' : path));
    return file.startsWith((await realpath(folder)) + sep) ? file : null;
  } catch {
    return null;
  }
}

/** Serves the built renderer at app://signalbox/, nothing else, and with the policy on every answer. */
export function servePage(folder: string): void {
  protocol.handle('app', async (request) => {
    if (request.method !== 'GET' || !isOurPage(request.url)) return notFound();
    const file = await fileOf(folder, request.url);
    const content = file && (await readFile(file).catch(() => null));
    if (!file || !content) return notFound();
    return new Response(new Uint8Array(content), { headers: headers(types[extname(file)] ?? 'application/octet-stream') });
  });
}
