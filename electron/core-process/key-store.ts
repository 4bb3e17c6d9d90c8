import type { FromCore, ToCore } from './messages.ts';

/** The key store of main, asked over the process's own port. Its shape is the core's KeyStore. */
export class MainKeys {
  readonly #post: (message: FromCore) => void;
  readonly #waiting = new Map<number, { resolve: (value: string | null) => void; reject: (error: Error) => void }>();
  #next = 1;

  constructor(post: (message: FromCore) => void) {
    this.#post = post;
  }

  get(): Promise<string | null> {
    return this.#ask((id) => ({ kind: 'key/get', id }));
  }

  async set(key: string | null): Promise<void> {
    await this.#ask((id) => ({ kind: 'key/set', id, key }));
  }

  /** Main's answer to one of the requests. */
  answered(answer: Extract<ToCore, { kind: 'answer' }>): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if (answer.error === undefined) waiting?.resolve(answer.value);
    else waiting?.reject(new Error(`The system's key store refused: ${answer.error}`));
  }

  #ask(request: (id: number) => FromCore): Promise<string | null> {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#post(request(id));
    });
  }
}
