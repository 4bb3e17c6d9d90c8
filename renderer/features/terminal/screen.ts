import { FitAddon } from '@xterm/addon-fit';
import { SearchAddon } from '@xterm/addon-search';
import { Terminal, type ILink, type ITheme } from '@xterm/xterm';
import type { TerminalId, TerminalInfo } from '../../../agent-core/contract/index.ts';
import { onTerminal, rpc } from '../../state/store.ts';
import { themes } from '../../theme/tokens.ts';
import { isMac } from '../../ui/keys.ts';

const ACK_CHARS = 16_384;
const RESIZE_WAIT_MS = 60;

/** The sixteen colours, out of the tokens so that both themes keep their contrast. */
export function terminalTheme(name: 'dark' | 'light'): ITheme {
  const c = themes[name];
  return {
    background: c.surface,
    foreground: c.text,
    cursor: c.text,
    cursorAccent: c.surface,
    selectionBackground: name === 'dark' ? '#2f6fdb80' : '#0b5fd040',
    selectionInactiveBackground: name === 'dark' ? '#6b737d60' : '#7c859040',
    black: name === 'dark' ? c.edge : c.text,
    red: c.bad,
    green: c.ok,
    yellow: c.warn,
    blue: c.accent,
    magenta: c.waiting,
    cyan: c['syn-fn'],
    white: name === 'dark' ? c.muted : c.muted,
    brightBlack: c.faint,
    brightRed: c.bad,
    brightGreen: c.ok,
    brightYellow: c.warn,
    brightBlue: c.accent,
    brightMagenta: c['syn-key'],
    brightCyan: c['syn-fn'],
    brightWhite: c.text,
  };
}

/** A web address: the only kind that a click may open. */
const webAddress = /\bhttps?:\/\/[^\s"'<>`]+[^\s"'<>`.,;:!?)\]}]/g;

function openAddress(event: MouseEvent, text: string): void {
  if (!(isMac ? event.metaKey : event.ctrlKey) || !/^https?:\/\//i.test(text)) return;
  if (window.signalbox) void window.signalbox.openLink(text);
  else window.open(text, '_blank', 'noopener,noreferrer');
}

function addressesIn(terminal: Terminal, y: number): ILink[] {
  const line = terminal.buffer.active.getLine(y - 1)?.translateToString(true) ?? '';
  return [...line.matchAll(webAddress)].map((match) => ({
    text: match[0],
    range: { start: { x: match.index + 1, y }, end: { x: match.index + match[0].length, y } },
    activate: (event, text) => openAddress(event, text),
  }));
}

export interface ScreenEvents {
  info(info: TerminalInfo): void;
  exited(exitCode: number | null): void;
  failed(thrown: unknown): void;
  /** Several lines are about to be pasted; `go` does it. */
  paste(text: string, go: () => void): void;
}

/**
 * One terminal on the page: drawn from the core's snapshot, then from its output; what was drawn is acknowledged, so a
 * slow page slows only its own terminal. The owner calls `dispose`.
 */
export class Screen {
  readonly terminal: Terminal;
  readonly search = new SearchAddon();
  private readonly fit = new FitAddon();
  private readonly id: TerminalId;
  private readonly on: ScreenEvents;
  private attached = false;
  private disposed = false;
  private drawn = 0;
  private ackTimer: ReturnType<typeof setTimeout> | undefined;
  private resizeTimer: ReturnType<typeof setTimeout> | undefined;
  private readonly cleanups: (() => void)[] = [];

  constructor(id: TerminalId, element: HTMLElement, theme: 'dark' | 'light', on: ScreenEvents) {
    this.id = id;
    this.on = on;
    this.terminal = new Terminal({
      fontFamily: getComputedStyle(element).getPropertyValue('--mono') || 'monospace',
      fontSize: 12,
      lineHeight: 1.5,
      scrollback: 5000,
      screenReaderMode: true,
      theme: terminalTheme(theme),
      cursorInactiveStyle: 'outline',
      minimumContrastRatio: 4.5,
      macOptionIsMeta: true,
      allowProposedApi: false,
      linkHandler: { activate: (event, text) => openAddress(event, text) },
    });
    this.terminal.loadAddon(this.fit);
    this.terminal.loadAddon(this.search);
    this.refuseSequences();
    this.terminal.attachCustomKeyEventHandler((event) => this.key(event));
    this.terminal.open(element);
    this.terminal.registerLinkProvider({ provideLinks: (y, give) => give(addressesIn(this.terminal, y)) });
    this.terminal.onData((data) => {
      if (this.attached) this.send('terminal/write', data);
    });
    this.cleanups.push(
      onTerminal((news) => {
        if (news.terminalId !== id || !this.attached) return;
        if (news.type === 'terminal.output') this.draw(news.data);
        else on.exited(news.exitCode);
      }),
    );
    this.guardPaste(element);
    const resized = new ResizeObserver(() => this.fitSoon());
    resized.observe(element);
    this.cleanups.push(() => resized.disconnect());
    void this.attach();
  }

  /** Title, clipboard and notification sequences are what a program in the sandbox must not be able to use. */
  private refuseSequences(): void {
    for (const code of [0, 1, 2, 9, 52, 777, 1337]) this.terminal.parser.registerOscHandler(code, () => true);
  }

  private async attach(): Promise<void> {
    try {
      const { info, screen } = await rpc().call('terminal/attach', { terminalId: this.id });
      if (this.disposed) return;
      this.attached = true;
      this.terminal.resize(info.cols, info.rows);
      this.terminal.write(screen, () => this.fitNow());
      this.on.info(info);
    } catch (thrown) {
      if (!this.disposed) this.on.failed(thrown);
    }
  }

  private draw(data: string): void {
    this.terminal.write(data, () => {
      this.drawn += data.length;
      if (this.drawn >= ACK_CHARS) this.ack();
      else this.ackTimer ??= setTimeout(() => this.ack(), 16);
    });
  }

  private ack(): void {
    clearTimeout(this.ackTimer);
    this.ackTimer = undefined;
    const chars = this.drawn;
    this.drawn = 0;
    if (chars > 0 && !this.disposed)
      rpc()
        .call('terminal/ack', { terminalId: this.id, chars })
        .catch(() => undefined);
  }

  private send(method: 'terminal/write', data: string): void {
    rpc()
      .call(method, { terminalId: this.id, data })
      .catch((thrown: unknown) => {
        if (!this.disposed) this.on.failed(thrown);
      });
  }

  /** False leaves a key to the app: only ⌘J / Ctrl+J; copying takes the selection instead of a signal. */
  private key(event: KeyboardEvent): boolean {
    const mod = isMac ? event.metaKey : event.ctrlKey;
    const key = event.key.toLowerCase();
    if (mod && key === 'j' && !event.altKey && !event.shiftKey) return false;
    if (!isMac && event.ctrlKey && event.shiftKey && key === 'c') {
      if (event.type === 'keydown') {
        event.preventDefault();
        void navigator.clipboard.writeText(this.terminal.getSelection());
      }
      return false;
    }
    return true;
  }

  private guardPaste(element: HTMLElement): void {
    const pasted = (event: ClipboardEvent) => {
      // An escape in the text could end the shell's own paste guard.
      // eslint-disable-next-line no-control-regex
      const text = (event.clipboardData?.getData('text/plain') ?? '').replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g, '');
      event.preventDefault();
      event.stopPropagation();
      const go = () => {
        this.terminal.paste(text);
        this.terminal.focus();
      };
      if (/[\r\n]/.test(text.replace(/[\r\n]+$/, '')) || /[\r\n]$/.test(text)) this.on.paste(text, go);
      else go();
    };
    element.addEventListener('paste', pasted, true);
    this.cleanups.push(() => element.removeEventListener('paste', pasted, true));
  }

  private fitSoon(): void {
    clearTimeout(this.resizeTimer);
    this.resizeTimer = setTimeout(() => this.fitNow(), RESIZE_WAIT_MS);
  }

  private fitNow(): void {
    if (this.disposed || !this.attached) return;
    const size = this.fit.proposeDimensions();
    if (!size || !Number.isFinite(size.cols) || size.cols < 2 || size.rows < 1) return;
    const [cols, rows] = [Math.min(size.cols, 1000), Math.min(size.rows, 500)];
    if (cols === this.terminal.cols && rows === this.terminal.rows) return;
    this.terminal.resize(cols, rows);
    rpc()
      .call('terminal/resize', { terminalId: this.id, cols, rows })
      .catch(() => undefined);
  }

  theme(name: 'dark' | 'light'): void {
    this.terminal.options.theme = terminalTheme(name);
  }

  dispose(): void {
    this.disposed = true;
    clearTimeout(this.ackTimer);
    clearTimeout(this.resizeTimer);
    for (const cleanup of this.cleanups) cleanup();
    this.terminal.dispose();
    rpc()
      .call('terminal/detach', { terminalId: this.id })
      .catch(() => undefined);
  }
}
