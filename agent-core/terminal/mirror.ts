import { SerializeAddon } from '@xterm/addon-serialize';
import * as headless from '@xterm/headless';

// The package is CommonJS: Node gives its exports as the default one.
const { Terminal } = ('default' in headless ? headless.default : headless) as typeof headless;

const SCROLLBACK = 2000;

/**
 * The terminal as it stands, drawn from everything that the program printed. It also answers the program's
 * questions to its terminal, so that they are answered once, with or without a client.
 */
export class Mirror {
  readonly #screen: headless.Terminal;
  readonly #serialize = new SerializeAddon();
  #behind = 0;

  constructor(size: { cols: number; rows: number }, answer: (text: string) => void) {
    this.#screen = new Terminal({ ...size, scrollback: SCROLLBACK, allowProposedApi: true });
    this.#screen.loadAddon(this.#serialize as unknown as headless.ITerminalAddon);
    this.#screen.onData(answer);
  }

  /** Characters that were written but aren't drawn yet. */
  get behind(): number {
    return this.#behind;
  }

  write(text: string, drawn: () => void): void {
    this.#behind += text.length;
    this.#screen.write(text, () => {
      this.#behind -= text.length;
      drawn();
    });
  }

  /** The screen after all that was written before this call and nothing after, as sequences that redraw it. */
  snapshot(): Promise<string> {
    return new Promise((resolve) => {
      this.#screen.write('', () => resolve(this.#serialize.serialize()));
    });
  }

  resize(cols: number, rows: number): void {
    this.#screen.resize(cols, rows);
  }
  dispose(): void {
    this.#screen.dispose();
  }
}
