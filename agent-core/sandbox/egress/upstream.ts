/** The company's own proxy that leads out of its network. */
export interface Upstream {
  host: string;
  port: number;
  /** Spoken to over TLS. */
  secure: boolean;
  /** The value of `Proxy-Authorization`; it never goes inside. */
  authorization: string | null;
}

const value = (env: NodeJS.ProcessEnv, name: string): string | undefined => env[name.toLowerCase()] || env[name] || undefined;

/** Whether NO_PROXY names the host: `*`, a name (and all below it, with or without a leading dot), perhaps with a port. */
function direct(env: NodeJS.ProcessEnv, host: string, port: number): boolean {
  const entries = (value(env, 'NO_PROXY') ?? '')
    .toLowerCase()
    .split(/[\s,]+/)
    .filter(Boolean);
  return entries.some((entry) => {
    if (entry === '*') return true;
    const [, name = entry, only] = /^(.*?)(?::(\d+))?$/.exec(entry) ?? [];
    if (only !== undefined && Number(only) !== port) return false;
    const bare = name.replace(/^\*?\./, '');
    return host === bare || host.endsWith(`.${bare}`);
  });
}

/** A proxy of the person's environment that we can't speak to. */
export class UnknownUpstream extends Error {}

/**
 * The proxy that `HTTPS_PROXY` (for tunnels), `HTTP_PROXY` (plain HTTP) or `ALL_PROXY` name, unless `NO_PROXY` does the
 * host; lower case first, as curl reads them. Throws {@link UnknownUpstream} for one that is not an HTTP proxy: going
 * around it would be wrong.
 */
export function upstreamFor(env: NodeJS.ProcessEnv, plain: boolean, host: string, port: number): Upstream | null {
  const written = value(env, plain ? 'HTTP_PROXY' : 'HTTPS_PROXY') ?? value(env, 'ALL_PROXY');
  if (written === undefined || direct(env, host, port)) return null;
  const text = written.includes('://') ? written : `http://${written}`;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new UnknownUpstream('The proxy in the environment of Signalbox is not an HTTP proxy, and no other kind can be used.');
  }
  const secure = url.protocol === 'https:';
  const user = url.username || url.password ? `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}` : null;
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port) || (secure ? 443 : 80),
    secure,
    authorization: user === null ? null : `Basic ${Buffer.from(user).toString('base64')}`,
  };
}
