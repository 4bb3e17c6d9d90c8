/** Hosts with their ports, as the way out takes them: `registry.npmjs.org:443`. */

const PORTS: Record<string, number> = { 'https:': 443, 'http:': 80 };

/** The host that an address names, without what stands before the `@`; null for what is no plain web address. */
export function hostOf(address: string): string | null {
  const plain = address.trim().replace(/^(?:git|sparse|registry|direct|hg|svn|bzr)\+/, '');
  if (!/^https?:\/\//i.test(plain) || !URL.canParse(plain)) return null;
  const { protocol, hostname, port } = new URL(plain);
  const name = hostname.toLowerCase().replace(/\.$/, '');
  // An address may have other signs in its host, `*` among them, which in a pattern would mean more than one host.
  return /^(?:[\w.-]+|\[[\da-f:.]+\])$/.test(name) ? `${name}:${port || PORTS[protocol]}` : null;
}

const PRIVATE = /^(?:127|10|192\.168|169\.254|172\.(?:1[6-9]|2\d|3[01]))\./;
const OWN_NAMES = /\.(?:local|localhost|internal|intranet|lan|corp|home|test|home\.arpa)$/;

/** Whether a host lies on this computer or in the private network, as far as its name tells. */
export function isNear(host: string): boolean {
  const name = host.slice(0, host.lastIndexOf(':'));
  if (name.startsWith('[')) return true;
  return !name.includes('.') || PRIVATE.test(name) || OWN_NAMES.test(name);
}

/** Every web address in a text. What stands before a `+` is bounded: a repository must not keep the core busy with one long line. */
export const addressesIn = (text: string): string[] => text.match(/(?:\b[a-z]{1,12}\+)?https?:\/\/[^\s"'`<>,;)\]}]+/gi) ?? [];
