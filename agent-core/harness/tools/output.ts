import { randomBytes } from 'node:crypto';

/** What a model gets to see of one output, and how tokens are estimated: HARNESS facts 1.3. */
export const MAX_OUTPUT_TOKENS = 10_000;
const BYTES_PER_TOKEN = 4;
export const tokensOf = (bytes: number): number => Math.ceil(bytes / BYTES_PER_TOKEN);

/**
 * Keeps the first and last half of `limit` bytes of a stream, however long it is, without ever holding more.
 * Chunks are copied, so a small rest of a large read doesn't pin the whole of it.
 */
export class HeadTail {
  readonly #half: number;
  #head: Buffer[] = [];
  #headBytes = 0;
  #tail: Buffer[] = [];
  #tailBytes = 0;
  /** All bytes that came since the last `drain`. */
  total = 0;

  constructor(limit: number) {
    this.#half = Math.floor(limit / 2);
  }

  add(chunk: Uint8Array): void {
    this.total += chunk.length;
    const room = this.#half - this.#headBytes;
    if (room > 0) {
      const part = Buffer.from(chunk.subarray(0, room));
      this.#head.push(part);
      this.#headBytes += part.length;
    }
    if (chunk.length > room) this.#addTail(chunk.subarray(Math.max(0, room)));
  }

  #addTail(chunk: Uint8Array): void {
    this.#tail.push(Buffer.from(chunk.subarray(Math.max(0, chunk.length - this.#half))));
    this.#tailBytes += this.#tail.at(-1)!.length;
    while (this.#tailBytes - this.#tail[0]!.length >= this.#half) this.#tailBytes -= this.#tail.shift()!.length;
    // Many tiny chunks cost more in objects than in bytes.
    if (this.#tail.length > 1024) this.#tail = [Buffer.concat(this.#tail)];
  }

  /** Bytes that are no longer held. */
  get omitted(): number {
    return this.total - this.#headBytes - Math.min(this.#tailBytes, this.#half);
  }

  /** Head and tail as text; where bytes are missing between them, `gap` stands. Invalid UTF-8 becomes U+FFFD. */
  text(gap: (omitted: number) => string = () => ''): string {
    const tail = Buffer.concat(this.#tail);
    const kept = tail.subarray(Math.max(0, tail.length - this.#half));
    const { omitted } = this;
    if (!omitted) return Buffer.concat([...this.#head, kept]).toString('utf8');
    return Buffer.concat(this.#head).toString('utf8') + gap(omitted) + kept.toString('utf8');
  }

  /** The text, and begins anew. */
  drain(): { text: string; total: number } {
    const drained = { text: this.text(), total: this.total };
    this.#head = [];
    this.#tail = [];
    this.#headBytes = this.#tailBytes = this.total = 0;
    return drained;
  }
}

/** Cuts the middle out of a text of more than `tokens` × 4 bytes, at character boundaries, half from each side. */
export function truncateMiddle(text: string, tokens: number): string {
  const budget = tokens * BYTES_PER_TOKEN;
  if (text.length * 3 <= budget) return text;
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length <= budget) return text;
  let left = Math.floor(budget / 2);
  let right = bytes.length - (budget - left);
  while (left > 0 && (bytes[left]! & 0xc0) === 0x80) left -= 1;
  while (right < bytes.length && (bytes[right]! & 0xc0) === 0x80) right += 1;
  return `${bytes.toString('utf8', 0, left)}…${tokensOf(bytes.length - budget)} tokens truncated…${bytes.toString('utf8', right)}`;
}

const linesOf = (text: string): number => {
  let lines = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines += 1;
  return text.length && !text.endsWith('\n') ? lines + 1 : lines;
};

/** {@link truncateMiddle} with the header that tells the model that something is missing. */
export function truncateOutput(text: string, tokens: number = MAX_OUTPUT_TOKENS): string {
  const short = truncateMiddle(text, tokens);
  if (short === text) return text;
  return `Warning: truncated output (original token count: ${tokensOf(Buffer.byteLength(text))})\nTotal output lines: ${linesOf(text)}\n\n${short}`;
}

export interface ExecResult {
  seconds: number;
  /** Exactly one of these: it has ended, or goes on under this session number. */
  end: { exitCode: number } | { session: number };
  text: string;
  maxTokens: number;
  /** What the model can cite this output by. */
  chunk: string;
}

export const newChunk = (): string => randomBytes(3).toString('hex');

/** The reply to `exec_command` and `write_stdin`, to the byte. */
export function formatExec({ seconds, end, text, maxTokens, chunk }: ExecResult): string {
  const state = 'exitCode' in end ? `Process exited with code ${end.exitCode}` : `Process running with session ID ${end.session}`;
  return (
    `Chunk ID: ${chunk}\nWall time: ${seconds.toFixed(4)} seconds\n${state}\n` +
    `Original token count: ${tokensOf(Buffer.byteLength(text))}\nOutput:\n${truncateOutput(text, maxTokens)}`
  );
}
