import { fork as forkNode, type ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { report } from './control.ts';
import { Handed, type Port } from './ports.ts';

/** Between the stand-in's main and its child. */
export type Wire =
  | { kind: 'message'; data: unknown; ports: number[] }
  | { kind: 'port'; id: number; data: unknown }
  | { kind: 'close'; id: number };

class UtilityProcess extends EventEmitter {
  readonly #child: ChildProcess;
  readonly #handed = new Handed();

  constructor(entry: string, args: string[], env: NodeJS.ProcessEnv) {
    super();
    const execArgv = ['--import', new URL('./child.ts', import.meta.url).href];
    this.#child = forkNode(entry, args, { env, execArgv, serialization: 'advanced', stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    report({ kind: 'core', pid: this.#child.pid ?? 0 });
    this.#child.on('message', (message: Wire) => this.#take(message));
    this.#child.on('exit', (code) => {
      this.#handed.closeAll();
      this.emit('exit', code ?? 1);
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  postMessage(data: unknown, ports: Port[] = []): void {
    const ids = ports.map((port) =>
      this.#handed.hand(
        port,
        (id, value) => this.#send({ kind: 'port', id, data: value }),
        (id) => this.#send({ kind: 'close', id }),
      ),
    );
    this.#send({ kind: 'message', data, ports: ids });
  }

  kill(): boolean {
    return this.#child.kill();
  }

  #send(message: Wire): void {
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }

  #take(message: Wire): void {
    if (message.kind === 'message') this.emit('message', message.data);
    else if (message.kind === 'port') this.#handed.fromThere(message.id, message.data);
    else this.#handed.closedThere(message.id);
  }
}

export const utilityProcess = {
  fork: (entry: string, args: string[] = [], options: { env?: NodeJS.ProcessEnv } = {}) =>
    new UtilityProcess(entry, args, options.env ?? process.env),
};
