import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { JSONRPCMessageSchema, type JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';
import type { SandboxProcess } from '../sandbox/types.ts';

/** One message of a server; a longer line is dropped. */
const LINE_LIMIT = 32 * 1024 * 1024;
/** What is kept of what a server says besides messages, to be shown when it fails. */
const CHATTER_LIMIT = 4000;

/**
 * The stdio transport of the specification (newline-delimited JSON-RPC on stdin and stdout) over a process that runs
 * in a sandbox. What is no message is kept as chatter and otherwise ignored: many servers print a greeting.
 */
export class SandboxTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage) => void;
  readonly #process: SandboxProcess;
  #rest: Buffer[] = [];
  #restBytes = 0;
  #skipping = false;
  #chatter = '';
  #closed = false;

  constructor(running: SandboxProcess) {
    this.#process = running;
  }

  /** The newest of what it printed that was no message. */
  get chatter(): string {
    return this.#chatter.trim();
  }

  async start(): Promise<void> {
    this.#process.onOutput((chunk, stream) => {
      if (stream === 'stderr') this.#hear(Buffer.from(chunk).toString('utf8'));
      else this.#read(Buffer.from(chunk));
    });
    void this.#process.exited.then(({ code }) => {
      this.#hear(`\n(it ended with ${code})`);
      this.#end();
    });
  }

  #hear(text: string): void {
    this.#chatter = (this.#chatter + text).slice(-CHATTER_LIMIT);
  }

  #read(chunk: Buffer): void {
    let from = 0;
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
      this.#keep(chunk.subarray(from, at));
      const line = Buffer.concat(this.#rest);
      if (!this.#skipping) this.#line(line.toString('utf8'));
      this.#rest = [];
      this.#restBytes = 0;
      this.#skipping = false;
      from = at + 1;
    }
    this.#keep(chunk.subarray(from));
  }

  #keep(part: Buffer): void {
    this.#restBytes += part.length;
    if (this.#restBytes > LINE_LIMIT) {
      this.#skipping = true;
      this.#rest = [];
      this.onerror?.(new Error(`a message of more than ${LINE_LIMIT / 1024 / 1024} MiB was dropped`));
    }
    if (!this.#skipping && part.length) this.#rest.push(part);
  }

  #line(text: string): void {
    if (!text.trim()) return;
    const message = parse(text);
    if (message) this.onmessage?.(message);
    else this.#hear(`${text.slice(0, 500)}\n`);
  }

  async send(message: JSONRPCMessage): Promise<void> {
    if (this.#closed) throw new Error('the server has ended');
    this.#process.write(`${JSON.stringify(message)}\n`);
  }

  #end(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.onclose?.();
  }

  async close(): Promise<void> {
    this.#process.endInput();
    await this.#process.kill('terminate');
    this.#end();
  }
}

function parse(text: string): JSONRPCMessage | null {
  try {
    const parsed = JSONRPCMessageSchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}
