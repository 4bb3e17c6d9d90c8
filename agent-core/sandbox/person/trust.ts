import { createHash, X509Certificate } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';

/** Names by which people tell tools of their company's certificates; each is a file of PEM. */
const NAMES = [
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
  'REQUESTS_CA_BUNDLE',
  'CURL_CA_BUNDLE',
  'GIT_SSL_CAINFO',
  'CARGO_HTTP_CAINFO',
  'PIP_CERT',
];
/** Where systems keep all that they trust in one file. */
const SYSTEM = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt', '/etc/ssl/ca-bundle.pem', '/etc/ssl/cert.pem'];
const MOST_BYTES = 4 * 1024 * 1024;
const ONE = /-----BEGIN (?:TRUSTED )?CERTIFICATE-----[\s\S]+?-----END (?:TRUSTED )?CERTIFICATE-----/g;

/** The file where a machine sees all that it is to trust. */
export const TRUST_INSIDE = '/etc/ssl/signalbox.pem';

/** Where it is shown, in a machine with this copy of /etc: there, and in the place of the system's own for who looks nowhere else. */
export const trustPlaces = (etc: string): string[] =>
  [TRUST_INSIDE, ...SYSTEM].filter((path) => lstatSync(join(etc, path.slice('/etc/'.length)), { throwIfNoEntry: false })?.isFile());

/** What leads tools to it. */
export function trustEnvironment(): Record<string, string> {
  const names = [...NAMES, 'AWS_CA_BUNDLE', 'DENO_CERT', 'npm_config_cafile'];
  return Object.fromEntries(names.map((name) => [name, TRUST_INSIDE]));
}

/** The certificates of a file, and nothing else that it may hold, such as a key beside them. */
function certificatesIn(path: string): string[] {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found?.isFile() || found.size > MOST_BYTES) return [];
  try {
    return (readFileSync(path, 'latin1').match(ONE) ?? []).filter(readable);
  } catch {
    return [];
  }
}

function readable(text: string): boolean {
  try {
    return new X509Certificate(text).raw.length > 0;
  } catch {
    return false;
  }
}

const system = (): string[] => {
  const path = SYSTEM.find((each) => existsSync(each));
  return path === undefined ? [...rootCertificates] : (readFileSync(path, 'latin1').match(ONE) ?? []);
};

/** Whom the person trusts: their system, and the files that their environment names. */
export class Trust {
  #env: NodeJS.ProcessEnv;
  #folder: string;
  #own: string[] | undefined;
  #context: SecureContext | undefined;

  /** Bundles are written to `folder`. */
  constructor(env: NodeJS.ProcessEnv, folder: string) {
    this.#env = env;
    this.#folder = folder;
  }

  /** What the environment adds to the system's; read once. */
  get company(): string[] {
    const paths = [...new Set(NAMES.flatMap((name) => this.#env[name] ?? []))].filter((path) => !SYSTEM.includes(path));
    return (this.#own ??= [...new Set(paths.flatMap(certificatesIn))]);
  }

  /** For connections that the core makes itself. */
  context(): SecureContext {
    return (this.#context ??= createSecureContext({ ca: [...new Set([...rootCertificates, ...system(), ...this.company])] }));
  }

  /** One file with all of it and `more`; null where that is no more than the system has. */
  bundle(more: string[]): string | null {
    const added = [...this.company, ...more];
    if (added.length === 0) return null;
    const name = createHash('sha256').update(added.join('\n')).digest('hex').slice(0, 16);
    const path = join(this.#folder, `${name}.pem`);
    if (existsSync(path)) return path;
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    writeFileSync(`${path}.${process.pid}`, `${[...system(), ...added].map((each) => each.trim()).join('\n')}\n`);
    renameSync(`${path}.${process.pid}`, path);
    return path;
  }
}
