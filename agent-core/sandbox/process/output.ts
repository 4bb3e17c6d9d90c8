import { disposable, type Disposable } from '../../support/disposable.ts';

export type OutputListener = (chunk: Uint8Array, stream: 'stdout' | 'stderr') => void;

/** What is kept for the first listener before the source is asked to pause. */
const KEEP = 1024 * 1024;

/** Hands output to listeners in order and keeps what came before the first of them. */
export class OutputFan {
  #listeners = new Set<OutputListener>();
  #early: [Uint8Array, 'stdout' | 'stderr'][] | null = [];
  #earlyBytes = 0;
  #hold: (on: boolean) => void;

  /** `hold(true)` asks the source to stop until `hold(false)`. */
  constructor(hold: (on: boolean) => void) {
    this.#hold = hold;
  }

  push(chunk: Uint8Array, stream: 'stdout' | 'stderr'): void {
    if (this.#early) {
      this.#early.push([chunk, stream]);
      this.#earlyBytes += chunk.length;
      if (this.#earlyBytes > KEEP) this.#hold(true);
      return;
    }
    for (const listener of this.#listeners) listener(chunk, stream);
  }

  listen(listener: OutputListener): Disposable {
    this.#listeners.add(listener);
    const early = this.#early;
    this.#early = null;
    for (const [chunk, stream] of early ?? []) listener(chunk, stream);
    if (early && this.#earlyBytes > KEEP) this.#hold(false);
    return disposable(() => this.#listeners.delete(listener));
  }
}
