import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { auth, type OAuthClientProvider } from '@modelcontextprotocol/sdk/client/auth.js';
import type { OAuthClientInformationMixed, OAuthClientMetadata, OAuthTokens } from '@modelcontextprotocol/sdk/shared/auth.js';
import { Failure } from '../contract/index.ts';

const isHere = ({ protocol, hostname }: URL): boolean => protocol === 'http:' && /^(localhost|127\.0\.0\.1|\[::1\])$/.test(hostname);

/** Whether an address that a server names may be asked, or shown: by https, and on this computer only where the server is here too. */
export const isAskable = (url: URL, server: string): boolean => url.protocol === 'https:' || (isHere(url) && isHere(new URL(server)));

/**
 * Asks a server, and what it names for signing in. Neither a redirect nor its metadata leads the core to this computer or to
 * plain http, and no redirect takes the server's keys to another origin.
 */
export const fetchFor =
  (server: string) =>
  async (input: string | URL, init?: RequestInit): Promise<Response> => {
    let url = new URL(input);
    for (let hops = 0; hops <= MOST_HOPS; hops++) {
      if (!isAskable(url, server)) throw new Error(`it names ${url.origin}, which is not asked`);
      const response = await fetch(url, { ...init, redirect: 'manual' });
      const location = response.headers.get('location');
      if (response.status < 300 || response.status > 399 || location === null) return response;
      const next = new URL(location, url);
      await response.body?.cancel();
      const same = next.origin === url.origin && (response.status > 306 || (init?.method ?? 'GET') === 'GET');
      if (!same) throw new Error(`it sends on to ${next.origin}, which is not followed`);
      url = next;
    }
    throw new Error('it sends on too often');
  };

/** What is kept of a server's account, in the key store as one text. */
interface Kept {
  client?: OAuthClientInformationMixed;
  tokens?: OAuthTokens;
  /** Where the account's page comes back to; registered with the client. */
  redirect?: string;
}

export interface Keep {
  get(): string;
  set(text: string): Promise<void>;
}

/** A sign-in that nobody finished is given up after this long. */
const SIGN_IN_MS = 10 * 60_000;
const MOST_HOPS = 5;

/**
 * One server's account by OAuth 2.1 with PKCE, as the specification wants it; the SDK does the protocol. Without
 * `toPage` it only uses and renews what there is: who is not signed in fails with the SDK's `UnauthorizedError`.
 */
export class Account implements OAuthClientProvider {
  readonly #keep: Keep;
  readonly #toPage: ((url: URL) => void) | null;
  readonly #state = randomBytes(24).toString('base64url');
  #kept: Kept;
  #verifier = '';

  constructor(keep: Keep, toPage: ((url: URL) => void) | null = null) {
    this.#keep = keep;
    this.#toPage = toPage;
    this.#kept = parse(keep.get());
  }

  get redirectUrl(): string {
    return this.#kept.redirect ?? 'http://127.0.0.1/callback';
  }
  get clientMetadata(): OAuthClientMetadata {
    return {
      client_name: 'Signalbox',
      redirect_uris: [this.redirectUrl],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    };
  }
  get signedIn(): boolean {
    return this.#kept.tokens !== undefined;
  }
  state(): string {
    return this.#state;
  }
  clientInformation(): OAuthClientInformationMixed | undefined {
    return this.#kept.client;
  }
  saveClientInformation(client: OAuthClientInformationMixed): Promise<void> {
    return this.#save({ ...this.#kept, client });
  }
  tokens(): OAuthTokens | undefined {
    return this.#kept.tokens;
  }
  saveTokens(tokens: OAuthTokens): Promise<void> {
    return this.#save({ ...this.#kept, tokens });
  }
  redirectToAuthorization(url: URL): void {
    this.#toPage?.(url);
  }
  saveCodeVerifier(verifier: string): void {
    this.#verifier = verifier;
  }
  codeVerifier(): string {
    return this.#verifier;
  }
  async invalidateCredentials(scope: 'all' | 'client' | 'tokens' | 'verifier' | 'discovery'): Promise<void> {
    const { client, tokens, ...rest } = this.#kept;
    if (scope === 'all') await this.#save({});
    else if (scope === 'client') await this.#save({ ...rest, ...(tokens ? { tokens } : {}) });
    else if (scope === 'tokens') await this.#save({ ...rest, ...(client ? { client } : {}) });
  }

  /** A new place to come back to needs a new registration. */
  async comeBackTo(redirect: string): Promise<void> {
    if (this.#kept.redirect !== redirect) await this.#save({ redirect });
  }

  async #save(kept: Kept): Promise<void> {
    this.#kept = kept;
    await this.#keep.set(Object.keys(kept).length ? JSON.stringify(kept) : '');
  }
}

function parse(text: string): Kept {
  try {
    return text ? (JSON.parse(text) as Kept) : {};
  } catch {
    return {};
  }
}

const page = (words: string): string =>
  `<!doctype html><meta charset="utf-8"><title>Signalbox</title><body style="font:16px system-ui;margin:20vh auto;max-width:30em"><p>${words}</p>`;

/**
 * Begins to sign in: resolves with the account's page, which the person opens. It comes back to a port of this computer;
 * then `done` is called, with why it failed or null. Throws `conflict` where the server wants no account.
 */
export async function signIn(
  server: { name: string; url: string },
  keep: Keep,
  done: (error: unknown) => void,
): Promise<{ url: string; cancel(): void }> {
  let url: URL | null = null;
  const account = new Account(keep, (found) => {
    url = found;
  });
  const listener = createServer();
  const port = await listening(listener);
  await account.comeBackTo(`http://127.0.0.1:${port}/callback`);
  const timer = setTimeout(() => listener.close(), SIGN_IN_MS).unref();
  const cancel = (): void => {
    clearTimeout(timer);
    listener.close();
    listener.closeAllConnections();
  };
  listener.on('request', (request, response) => {
    const asked = new URL(request.url ?? '/', `http://127.0.0.1:${port}`);
    const code = asked.searchParams.get('code');
    if (asked.pathname !== '/callback' || asked.searchParams.get('state') !== account.state()) {
      response.writeHead(404).end();
      return;
    }
    const finished =
      code === null
        ? Promise.reject(new Error(asked.searchParams.get('error') ?? 'no code came back'))
        : auth(account, { serverUrl: server.url, authorizationCode: code, fetchFn: fetchFor(server.url) });
    void finished.then(
      () => {
        response
          .writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
          .end(page('You are signed in. This tab can be closed.'), cancel);
        done(null);
      },
      (error: unknown) => {
        response
          .writeHead(400, { 'content-type': 'text/html; charset=utf-8' })
          .end(page('Signing in failed. Signalbox tells why.'), cancel);
        done(error);
      },
    );
  });
  try {
    await auth(account, { serverUrl: server.url, fetchFn: fetchFor(server.url) });
    if (url !== null && !isAskable(url, server.url)) throw new Error(`it names ${(url as URL).origin} for its page`);
  } catch (error) {
    cancel();
    throw new Failure(
      'conflict',
      `The server “${server.name}” does not let anyone sign in: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  if (url === null) {
    cancel();
    throw new Failure('conflict', `The server “${server.name}” is signed in already.`);
  }
  return { url: (url as URL).href, cancel };
}

const listening = (server: Server): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address ? address.port : 0);
    });
    server.unref();
  });
