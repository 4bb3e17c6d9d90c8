import { MessageChannelMain, utilityProcess, type MessagePortMain, type UtilityProcess } from 'electron';
import type { FromCore, ToCore } from '../core-process/messages.ts';

/** A core that dies again and again is started at longer and longer distances, in milliseconds. */
const PAUSES = [0, 500, 2000, 10_000];
/** A core that lived this long was healthy: the next death counts as a first one. */
const HEALTHY_MS = 60_000;
/** How long a core may take to end its turns and close its store when the app quits. */
const FAREWELL_MS = 8000;

export interface CoreKeeperOptions {
  /** The core process's bundle, absolute. */
  entry: string;
  /** What the core asks of main; the answer goes back to it. */
  answer(request: Extract<FromCore, { id: number }>): Promise<string | null>;
  env: Record<string, string>;
  /** Told in words why no core can be had; it would say the same again at once. */
  onFailure(message: string): void;
  /** Told of a death that nobody asked for, for the log. */
  onDeath?(code: number): void;
}

/** Keeps one core process alive and gives out connections to it. Windows never hold the process itself. */
export class CoreKeeper {
  readonly #options: CoreKeeperOptions;
  #child: UtilityProcess | null = null;
  #waiting: MessagePortMain[] = [];
  #deaths = 0;
  #ending = false;

  constructor(options: CoreKeeperOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#child || this.#ending) return;
    const { entry, env } = this.#options;
    const child = utilityProcess.fork(entry, [], { serviceName: 'Signalbox core', stdio: 'inherit', env });
    const born = Date.now();
    this.#child = child;
    child.on('message', (message: FromCore) => this.#take(child, message));
    child.once('exit', (code) => this.#died(child, code, Date.now() - born));
    for (const port of this.#waiting.splice(0)) this.#give(child, port);
  }

  /** One end of a new connection; the other goes to the core, or to the next one when there is none just now. */
  connect(): MessagePortMain {
    const { port1, port2 } = new MessageChannelMain();
    if (this.#child) this.#give(this.#child, port2);
    else this.#waiting.push(port2);
    return port1;
  }

  /** Asks the core to end in good order, and ends it when it doesn't. */
  async stop(): Promise<void> {
    this.#ending = true;
    const child = this.#child;
    if (!child) return;
    await new Promise<void>((gone) => {
      const limit = setTimeout(() => child.kill(), FAREWELL_MS);
      child.once('exit', () => {
        clearTimeout(limit);
        gone();
      });
      this.#tell(child, { kind: 'stop' });
    });
  }

  #tell(child: UtilityProcess, message: ToCore, ports: MessagePortMain[] = []): void {
    child.postMessage(message, ports);
  }

  #give(child: UtilityProcess, port: MessagePortMain): void {
    this.#tell(child, { kind: 'client' }, [port]);
  }

  #take(child: UtilityProcess, message: FromCore): void {
    if (message.kind === 'failed') this.#options.onFailure(message.message);
    if (!('id' in message)) return;
    this.#options.answer(message).then(
      (value) => this.#tell(child, { kind: 'answer', id: message.id, value }),
      (error: unknown) => this.#tell(child, { kind: 'answer', id: message.id, value: null, error: String(error) }),
    );
  }

  #died(child: UtilityProcess, code: number, lived: number): void {
    if (this.#child === child) this.#child = null;
    if (this.#ending) return;
    this.#options.onDeath?.(code);
    this.#deaths = lived > HEALTHY_MS ? 1 : this.#deaths + 1;
    const pause = PAUSES[Math.min(this.#deaths - 1, PAUSES.length - 1)] ?? 0;
    setTimeout(() => this.start(), pause);
  }
}
