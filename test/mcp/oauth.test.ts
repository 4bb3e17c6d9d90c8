import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createHash, randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { onEnd, until } from '../harness/support/rig.ts';
import { fetchFor } from '../../agent-core/mcp/oauth.ts';
import { aServer, world } from './rig.ts';

const body = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
};

/**
 * A server that wants an account: streamable HTTP, with the metadata of RFC 9728 and RFC 8414, registration (RFC 7591),
 * and a code that is only given for its PKCE verifier. `grants` counts what each way of asking for a token was given.
 */
async function accountServer() {
  const challenges = new Map<string, string>();
  const tokens = new Set<string>();
  const refresh = new Set<string>();
  const grants: string[] = [];
  const http: Server = createServer((request, response) => {
    void (async () => {
      const at = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
      const url = new URL(request.url ?? '/', at);
      const send = (status: number, value: unknown, headers: Record<string, string> = {}): void => {
        response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
      };
      const text = await body(request);
      if (url.pathname.startsWith('/.well-known/oauth-protected-resource'))
        send(200, { resource: `${at}/mcp`, authorization_servers: [at] });
      else if (url.pathname.startsWith('/.well-known/oauth-authorization-server'))
        send(200, {
          issuer: at,
          authorization_endpoint: `${at}/authorize`,
          token_endpoint: `${at}/token`,
          registration_endpoint: `${at}/register`,
          response_types_supported: ['code'],
          code_challenge_methods_supported: ['S256'],
          token_endpoint_auth_methods_supported: ['none'],
        });
      else if (url.pathname === '/register') send(201, { ...(JSON.parse(text) as object), client_id: 'client-1' });
      else if (url.pathname === '/authorize') {
        const code = randomUUID();
        challenges.set(code, url.searchParams.get('code_challenge') ?? '');
        const back = new URL(url.searchParams.get('redirect_uri') ?? '');
        back.searchParams.set('code', code);
        back.searchParams.set('state', url.searchParams.get('state') ?? '');
        response.writeHead(302, { location: back.href }).end();
      } else if (url.pathname === '/token') {
        const form = new URLSearchParams(text);
        const grant = form.get('grant_type') ?? '';
        const proved =
          createHash('sha256')
            .update(form.get('code_verifier') ?? '')
            .digest('base64url') === challenges.get(form.get('code') ?? '');
        if (grant === 'authorization_code' ? !proved : !refresh.delete(form.get('refresh_token') ?? ''))
          return send(400, { error: 'invalid_grant' });
        grants.push(grant);
        const [access, again] = [randomUUID(), randomUUID()];
        tokens.add(access);
        refresh.add(again);
        send(200, { access_token: access, token_type: 'bearer', expires_in: 3600, refresh_token: again });
      } else if (url.pathname === '/mcp') {
        if (!tokens.has(request.headers.authorization?.replace(/^bearer /i, '') ?? ''))
          return send(
            401,
            { error: 'no' },
            { 'www-authenticate': `Bearer resource_metadata="${at}/.well-known/oauth-protected-resource/mcp"` },
          );
        if (request.method !== 'POST') return void response.writeHead(405).end();
        const { id, method, params } = JSON.parse(text) as { id?: number; method: string; params: { protocolVersion: string } };
        if (id === undefined) return void response.writeHead(202).end();
        const result =
          method === 'initialize'
            ? { protocolVersion: params.protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'account', version: '1' } }
            : { tools: [{ name: 'whoami', inputSchema: { type: 'object' }, annotations: { readOnlyHint: true } }] };
        send(200, { jsonrpc: '2.0', id, result });
      } else send(404, {});
    })();
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  onEnd(async () => {
    http.closeAllConnections();
    http.close();
  });
  return { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`, tokens, grants };
}

test('a server with an account: asks to sign in, is there after it, renews its token, and is forgotten', async () => {
  const account = await accountServer();
  const server = aServer('account', { kind: 'http', url: account.url, headers: {} });
  const w = await world([server]);
  expect((await w.toolsFor()).missing.join()).toContain('wants you to sign in');
  expect(w.told.at(-1)).toMatchObject({ state: 'sign-in' });

  const page = await w.mcp.signIn(server);
  expect(page).toContain('code_challenge_method=S256');
  // Who comes back without what was sent along is nobody.
  const back = new URL(new URL(page).searchParams.get('redirect_uri') ?? '');
  expect((await fetch(`${back.href}?code=x&state=wrong`)).status).toBe(404);
  expect((await fetch(page)).status).toBe(200);
  await until(() => w.told.at(-1)?.state === 'ready');
  expect((await w.toolsFor()).tools.map(({ name }) => name)).toEqual(['mcp__account__whoami']);

  await w.mcp.close(w.machine.spec.id);
  account.tokens.clear();
  expect((await w.toolsFor()).missing).toEqual([]);
  expect(account.grants).toEqual(['authorization_code', 'refresh_token']);

  await w.mcp.signOut(server);
  expect([...w.kept]).toEqual([]);
  expect((await w.toolsFor()).missing.join()).toContain('wants you to sign in');
});

test('a server that wants no account says so', async () => {
  const w = await world([]);
  await expect(w.mcp.signIn(aServer('x', { kind: 'http', url: 'http://127.0.0.1:9/mcp', headers: {} }))).rejects.toMatchObject({
    detail: { code: 'conflict' },
  });
});

test('neither a redirect nor what a server names leads the core elsewhere', async () => {
  const asked: string[] = [];
  const http = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    const to = new URL(request.url ?? '/', 'http://127.0.0.1').searchParams.get('to');
    if (to) response.writeHead(307, { location: to }).end();
    else response.end('there');
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  onEnd(async () => http.close());
  const at = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const own = fetchFor(at);
  expect(await (await own(`${at}/a?to=${encodeURIComponent('/b')}`, { method: 'POST', body: 'x' })).text()).toBe('there');
  await expect(own(`${at}/a?to=${encodeURIComponent(at.replace('127.0.0.1', 'localhost'))}`)).rejects.toThrow('not followed');
  await expect(own(`${at}/a?to=${encodeURIComponent(`${at}/a?to=/a`)}`)).resolves.toBeTruthy();
  const before = asked.length;
  await expect(fetchFor('https://mcp.example')(`${at}/token`)).rejects.toThrow('not asked');
  await expect(own('http://169.254.169.254/latest')).rejects.toThrow('not asked');
  expect(asked).toHaveLength(before);
});
