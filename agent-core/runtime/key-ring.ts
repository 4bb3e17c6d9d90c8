import { MAIN_PROVIDER } from '../contract/index.ts';
import type { KeyStore } from './api.ts';

/** Keys by provider, in a key store that holds one text: the main provider's key alone as it is, several as JSON. */
export class KeyRing {
  readonly #store: KeyStore;
  #keys: Record<string, string> = {};

  constructor(store: KeyStore) {
    this.#store = store;
  }

  async load(): Promise<void> {
    this.#keys = read(await this.#store.get());
  }

  get(provider: string): string {
    return this.#keys[provider] ?? '';
  }

  /** Keeps a key; '' forgets it. Rejects when the store refuses, and then nothing has changed. */
  async set(provider: string, key: string): Promise<void> {
    const { [provider]: _old, ...rest } = this.#keys;
    const next = key ? { ...rest, [provider]: key } : rest;
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
