import { X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { Host } from './patterns.ts';
import { provideMetadata } from './reflect.ts';

const KEYS = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const SIGNED = { name: 'ECDSA', hash: 'SHA-256' } as const;
const DAY = 86_400_000;
/** Far less than the 398 days that clients take at most. */
const LEAF_DAYS = 30;
const RENEW_AFTER = 7 * DAY;
const OWN_DAYS = 3650;
const MOST_CONTEXTS = 200;

const pem = (kind: string, bytes: ArrayBuffer): string =>
  `-----BEGIN ${kind}-----\n${(
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  ).join('\n')}\n-----END ${kind}-----\n`;
const serial = (): string =>
  Buffer.from(crypto.getRandomValues(new Uint8Array(16)).map((byte, n) => (n === 0 ? (byte & 0x7f) | 1 : byte))).toString('hex');
const lasting = (days: number) => ({ notBefore: new Date(Date.now() - DAY), notAfter: new Date(Date.now() + days * DAY) });

/** Loaded when a credential is first used: most homes have none. */
const library = async () => {
  provideMetadata();
  const found = await import('@peculiar/x509');
  // In a bundle what is CommonJS inside has only a default.
  return Object.hasOwn(found, 'X509Certificate') ? found : found.default;
};

interface Own {
  certificate: string;
  key: CryptoKey;
}

async function make(): Promise<{ certificate: string; key: string }> {
  const x509 = await library();
  const keys = await crypto.subtle.generateKey(KEYS, true, ['sign', 'verify']);
  const made = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: 'CN=Signalbox on this computer, O=Signalbox',
    ...lasting(OWN_DAYS),
    signingAlgorithm: SIGNED,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: made.toString('pem'), key: pem('PRIVATE KEY', await crypto.subtle.exportKey('pkcs8', keys.privateKey)) };
}

const fits = (certificate: string): boolean => new Date(new X509Certificate(certificate).validTo).getTime() > Date.now() + 30 * DAY;

/** Reads the pair of a folder, or makes one. The key is readable by its owner alone, and never goes inside a machine. */
async function load(folder: string): Promise<Own> {
  const file = join(folder, 'authority.pem');
  let text = '';
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    /* none yet */
  }
  const parts = text.match(/-----BEGIN [A-Z ]+-----[\s\S]+?-----END [A-Z ]+-----\n?/g) ?? [];
  let [certificate, key] = [parts[0], parts[1]];
  if (certificate === undefined || key === undefined || !fits(certificate)) {
    ({ certificate, key } = await make());
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    // One file, so that a crash can't leave a certificate with another's key.
    writeFileSync(`${file}.${process.pid}`, certificate.trimEnd() + '\n' + key, { mode: 0o600 });
    renameSync(`${file}.${process.pid}`, file);
  }
  const bytes = Buffer.from(key.replace(/-----[^-]+-----|\s/g, ''), 'base64');
  return { certificate: certificate.trimEnd() + '\n', key: await crypto.subtle.importKey('pkcs8', bytes, KEYS, false, ['sign']) };
}

/**
 * The home's own certificate authority. It vouches, inside the machines alone, for the hosts to which the proxy adds a
 * credential: so that it can read those requests, and no others.
 */
export class Authority {
  readonly certificate: string;
  #own: Own;
  #leafKeys: Promise<CryptoKeyPair>;
  #contexts = new Map<string, { made: number; context: Promise<SecureContext> }>();

  private constructor(own: Own) {
    this.#own = own;
    this.certificate = own.certificate;
    this.#leafKeys = crypto.subtle.generateKey(KEYS, true, ['sign', 'verify']);
  }

  /** Rejects when the folder can't be written. */
  static async open(folder: string): Promise<Authority> {
    return new Authority(await load(folder));
  }

  /** What a server of this name shows. */
  contextFor(host: Host): Promise<SecureContext> {
    const known = this.#contexts.get(host.text);
    if (known && known.made > Date.now() - RENEW_AFTER) return known.context;
    if (this.#contexts.size >= MOST_CONTEXTS) this.#contexts.clear();
    const context = this.#leaf(host);
    this.#contexts.set(host.text, { made: Date.now(), context });
    context.catch(() => this.#contexts.delete(host.text));
    return context;
  }

  async #leaf(host: Host): Promise<SecureContext> {
    const x509 = await library();
    const keys = await this.#leafKeys;
    const issuer = new x509.X509Certificate(this.certificate);
    const made = await x509.X509CertificateGenerator.create({
      serialNumber: serial(),
      subject: '',
      issuer: issuer.subject,
      ...lasting(LEAF_DAYS),
      signingAlgorithm: SIGNED,
      publicKey: keys.publicKey,
      signingKey: this.#own.key,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension([{ type: host.kind === 'address' ? 'ip' : 'dns', value: host.text }], true),
        await x509.AuthorityKeyIdentifierExtension.create(issuer),
      ],
    });
    const key = pem('PRIVATE KEY', await crypto.subtle.exportKey('pkcs8', keys.privateKey));
    return createSecureContext({ key, cert: made.toString('pem') + '\n' + this.certificate });
  }
}
