/**
 * One per provider and key, shared by all threads: when one is told to slow down, all wait. After the pause one
 * of them tries first; only when it gets through do the others follow, spread over a moment.
 */
export class Limiter {
  #until = 0;
  #limited = false;
  #trying = false;
  readonly #waiting = new Set<() => void>();

  /** Resolves when a request may go out. `onWait` hears until when (ms since the epoch). Rejects with the signal's reason. */
  async enter(signal: AbortSignal, onWait: (until: number) => void): Promise<void> {
    let waited = false;
    while (this.#limited) {
      const left = this.#until - Date.now();
      if (left <= 0 && !this.#trying) {
        this.#trying = true;
        return;
      }
      waited = true;
      onWait(this.#until);
      await this.#pause(left > 0 ? left : 60_000, signal);
    }
    if (waited) await this.#pause(Math.random() * 300, signal);
  }

  /** A request got through. */
  passed(): void {
    if (!this.#limited) return;
    this.#limited = false;
    this.#trying = false;
    this.#wake();
  }

  /** A request was refused for coming too fast; nobody tries before `ms` are over. */
  refused(ms: number): void {
    this.#limited = true;
    this.#trying = false;
    // Whole milliseconds: it is told to the board, whose times have no fractions.
    this.#until = Math.max(this.#until, Math.ceil(Date.now() + ms));
    this.#wake();
  }

  /** A request failed for another reason: the next one may try. */
  failed(): void {
    this.#trying = false;
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }

  /** Ends early when the limiter's state changes. */
  #pause(ms: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const abort = () => reject(signal.reason as Error);
    const timer = setTimeout(resolve, ms);
    this.#waiting.add(resolve);
    signal.addEventListener('abort', abort, { once: true });
    return promise.finally(() => {
      clearTimeout(timer);
      this.#waiting.delete(resolve);
      signal.removeEventListener('abort', abort);
    });
  }
}

const limiters = new Map<string, Limiter>();

export function limiterFor(provider: { baseUrl: string; key: string }): Limiter {
  const id = `${provider.baseUrl}\n${provider.key}`;
  let limiter = limiters.get(id);
  if (!limiter) limiters.set(id, (limiter = new Limiter()));
  return limiter;
}
