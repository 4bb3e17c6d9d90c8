import { MAIN_PROVIDER } from '../contract/index.ts';
import type { KeyStore } from './api.ts';

/**
 * Secrets by name, in a key store that holds one text: the main provider's key alone as it is, several as JSON. A model
 * provider's key has its id for a name; others have a path, such as `mcp/<server>/<variable>`.
 */
export class KeyRing {
  readonly #store: KeyStore;
  #keys: Record<string, string> = {};
  #writing: Promise<void> = Promise.resolve();

  constructor(store: KeyStore) {
    this.#store = store;
  }

  async load(): Promise<void> {
    this.#keys = read(await this.#store.get());
  }

  /** All of them, to be kept out of what leaves this machine. */
  values(): string[] {
    return Object.values(this.#keys);
  }

  get(name: string): string {
    return this.#keys[name] ?? '';
  }

  /** Keeps a secret; '' forgets it. One at a time. Rejects when the store refuses, and then nothing has changed. */
  set(name: string, secret: string): Promise<void> {
    const written = this.#writing.then(() => this.#write(name, secret));
    this.#writing = written.catch(() => {});
    return written;
  }

  /** Forgets all whose name begins so. */
  async forget(prefix: string): Promise<void> {
    for (const name of Object.keys(this.#keys)) if (name.startsWith(prefix)) await this.set(name, '');
  }

  async #write(name: string, secret: string): Promise<void> {
    const { [name]: _old, ...rest } = this.#keys;
    const next = secret ? { ...rest, [name]: secret } : rest;
    const names = Object.keys(next);
    await this.#store.set(
      names.length === 0 ? null : names.length === 1 && names[0] === MAIN_PROVIDER ? next[MAIN_PROVIDER]! : JSON.stringify({ keys: next }),
    );
    this.#keys = next;
  }
}

function read(text: string | null): Record<string, string> {
  if (!text) return {};
  try {
    const { keys } = JSON.parse(text) as { keys?: Record<string, unknown> };
    if (keys && typeof keys === 'object')
      return Object.fromEntries(Object.entries(keys).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
  } catch {
    // A bare key is no JSON.
  }
  return { [MAIN_PROVIDER]: text };
}
