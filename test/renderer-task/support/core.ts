import { createServer, type Server } from 'node:http';
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { WebSocketServer, type WebSocket } from 'ws';
import {
  Failure,
  Request,
  methods,
  project,
  toAppError,
  type Activity,
  type Board,
  type DomainEvent,
  type InputOf,
  type MethodName,
  type OutputOf,
  type StoredEvent,
  type Transient,
} from '../../../agent-core/contract/index.ts';

type Answer = { [M in MethodName]?: (input: InputOf<M>) => OutputOf<M> | Promise<OutputOf<M>> };
const kinds: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.woff2': 'font/woff2' };
/** The policy that the hosts send: what runs here has to run there. */
const csp =
  "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; connect-src 'self' ws:; base-uri 'none'; form-action 'none'";

/** A core that speaks the contract over a socket and does what a test tells it: nothing behind it is real. */
export class StandInCore {
  readonly calls: { method: MethodName; input: unknown }[] = [];
  answers: Answer = {};
  board: Board;
  activity: Record<string, Activity> = {};
  url = '';
  private seq = 1;
  private readonly server: Server;
  private readonly sockets = new Set<WebSocket>();
  private waiting: (() => void)[] = [];

  private constructor(folder: string, board: Board) {
    this.board = board;
    this.server = createServer((request, response) => {
      const path = normalize(new URL(request.url ?? '/', 'http://x').pathname);
      const file = join(folder, path === '/' ? 'index.html' : path);
      readFile(file).then(
        (body) => {
          response
            .writeHead(200, { 'content-type': kinds[extname(file)] ?? 'application/octet-stream', 'content-security-policy': csp })
            .end(body);
        },
        () => response.writeHead(404).end(),
      );
    });
    new WebSocketServer({ server: this.server, path: '/wire' }).on('connection', (socket) => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
      socket.on('message', (data) => void this.receive(socket, JSON.parse(String(data))));
    });
  }

  static async start(folder: string, board: Board): Promise<StandInCore> {
    const core = new StandInCore(folder, board);
    await new Promise<void>((resolve) => core.server.listen(0, '127.0.0.1', resolve));
    core.url = `http://127.0.0.1:${(core.server.address() as AddressInfo).port}`;
    return core;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.terminate();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private snapshot() {
    return {
      seq: this.seq,
      board: this.board,
      activity: this.activity,
      sandbox: { state: 'confined' as const, driver: 'bubblewrap 0.8.0 with seccomp', probes: [], ms: 12 },
      host: { kind: 'test' as const, home: '/home/me/.signalbox', user: '/home/me', platform: 'linux', version: '0.1.0', openOn: null },
    };
  }

  private async receive(socket: WebSocket, raw: unknown): Promise<void> {
    const { id, method, params } = Request.parse(raw);
    const name = method as MethodName;
    this.calls.push({ method: name, input: params });
    for (const wake of this.waiting.splice(0)) wake();
    try {
      const input = methods[name].input.parse(params);
      const answer = this.answers[name] as ((input: unknown) => unknown) | undefined;
      const value = name === 'initialize' || name === 'snapshot' ? this.snapshot() : await (answer ?? (() => ({})))(input);
      socket.send(JSON.stringify({ kind: 'result', id, value: methods[name].output.parse(value) }));
    } catch (thrown) {
      socket.send(JSON.stringify({ kind: 'error', id, error: toAppError(thrown) }));
    }
  }

  private send(message: unknown): void {
    for (const socket of this.sockets) socket.send(JSON.stringify(message));
  }

  emit(...list: DomainEvent[]): void {
    const events = list.map((event): StoredEvent => ({ seq: ++this.seq, at: Date.now(), event }));
    this.board = events.reduce(project, this.board);
    this.send({ kind: 'events', from: this.seq - events.length + 1, to: this.seq, events });
  }

  transient(...items: Transient[]): void {
    this.send({ kind: 'transient', items });
  }

  called<M extends MethodName>(method: M): InputOf<M>[] {
    return this.calls.filter((call) => call.method === method).map((call) => call.input as InputOf<M>);
  }

  /** Waits until a call of the method was made that `fits`. */
  async until<M extends MethodName>(method: M, fits: (input: InputOf<M>) => boolean = () => true): Promise<InputOf<M>> {
    for (;;) {
      const found = this.called(method).find(fits);
      if (found) return found;
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }

  get now(): number {
    return this.seq;
  }
}

export { Failure };
