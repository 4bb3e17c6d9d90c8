/** What stands where a secret was. */
export const REDACTED = '[redacted]';

/** Keys by their known shapes. Each is long and particular enough that nothing else looks like it. */
const SHAPES = [
  // OpenAI, Anthropic and those that took over the prefix
  /\bsk-[A-Za-z0-9_-]{16,}/,
  // GitHub
  /\bgh[pousr]_[A-Za-z0-9]{20,}/,
  /\bgithub_pat_[A-Za-z0-9_]{20,}/,
  // GitLab, npm, PyPI, Hugging Face, Docker Hub
  /\bglpat-[A-Za-z0-9_-]{16,}/,
  /\bnpm_[A-Za-z0-9]{30,}/,
  /\bpypi-[A-Za-z0-9_-]{40,}/,
  /\bhf_[A-Za-z0-9]{30,}/,
  /\bdckr_pat_[A-Za-z0-9_-]{20,}/,
  // AWS, Google, Slack, Stripe, SendGrid
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/,
  /\bAIza[A-Za-z0-9_-]{35}/,
  /\bya29\.[A-Za-z0-9_-]{20,}/,
  /\bxox[abeoprs]-[A-Za-z0-9-]{10,}/,
  /\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}/,
  /\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}/,
  // JSON web tokens
  /(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*/,
  // Private keys, their whole block, or what is left of one that was cut
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[^]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/,
].map((shape) => shape.source);
const shapes = new RegExp(SHAPES.join('|'), 'g');

/**
 * `NAME_TOKEN=…`, `"apiKey": "…"`: the name stays. Of words in small letters only what is quoted is taken, for the rest is
 * code more often than not. The quotes may be those of JSON inside JSON. Every repetition is bounded: no text takes long.
 */
const VALUE = '[^\\s"\'\\\\$`<>{}()[\\],;&|]';
const quoted = new RegExp(
  `((?:token|secret|password|passwd|api[_-]?key|access[_-]?key|private[_-]?key|_key)\\\\?["']?\\s{0,4}(?:[:=]|=>)\\s{0,4}\\\\?["'])(${VALUE}{6,})`,
  'gi',
);
const named = new RegExp(
  `((?:_(?:TOKEN|KEY|SECRET|PASSWORD)|\\b(?:TOKEN|SECRET|PASSWORD|APIKEY))\\\\?["']?[:=] ?\\\\?["']?)(${VALUE}{4,})`,
  'g',
);
const header =
  /\b((?:Authorization|X-Api-Key|Api-Key|Private-Token)\\?["']?\s{0,4}[:=]\s{0,4}\\?["']?(?:Bearer |Basic |token )?)([^\s"'\\$]{6,})/gi;
const bearer = /\b(Bearer )([A-Za-z0-9._~+/-]{16,}=*)/g;
/** `https://user:password@host` */
const inUrl = /(:\/\/[^\s/:@"']{0,200}:)([^\s/@"']{1,500})(?=@)/g;

/** Shorter ones would be found in every other word. */
const SHORTEST = 8;
const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** The values of variables whose names say that they are secret. */
export const secretsIn = (env: Record<string, string | undefined>): string[] =>
  Object.entries(env).flatMap(([name, value]) => (value && /(?:^|_)(?:TOKEN|KEY|SECRET|PASSWORD)$/i.test(name) ? [value] : []));

/** Takes secrets out of a text: those given, by their exact value, and what looks like one. */
export function redactor(secrets: readonly string[]): (text: string) => string {
  const known = [...new Set(secrets.flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)]))]
    .filter((secret) => secret.length >= SHORTEST)
    .toSorted((a, b) => b.length - a.length)
    .map(escaped);
  const exact = known.length ? new RegExp(known.join('|'), 'g') : null;
  return (text) => {
    let clean = exact ? text.replaceAll(exact, REDACTED) : text;
    clean = clean.replaceAll(shapes, REDACTED);
    for (const pattern of [quoted, named, header, bearer, inUrl]) clean = clean.replaceAll(pattern, `$1${REDACTED}`);
    return clean;
  };
}

/** All texts in a value, names of fields aside. */
export function redactAll<T>(value: T, redact: (text: string) => string): T {
  if (typeof value === 'string') return redact(value) as T;
  if (Array.isArray(value)) return value.map((each) => redactAll(each as unknown, redact)) as T;
  if (value && typeof value === 'object')
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, redactAll(each as unknown, redact)])) as T;
  return value;
}
