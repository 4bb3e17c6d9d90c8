/**
 * A way to the core: opens one link and reports what arrives on it. JSON values both ways, in order.
 * Rejects when no link can be had; `close` is told once when an open link ends.
 */
export interface Link {
  send(message: unknown): void;
  close(): void;
}
export interface LinkEvents {
  message(message: unknown): void;
  close(): void;
}
export type Connect = (on: LinkEvents) => Promise<Link>;

/** A click on a notification or a menu entry of the system: an action of our registry and what it is about. */
export interface ShellCommand {
  action: string;
  subject?: string;
}

/** What the Electron preload puts into the page (its side: `electron/ipc/channels.ts`); absent in a browser. */
export interface ShellBridge {
  readonly platform: 'linux' | 'darwin' | 'win32';
  /** Asks main for a fresh port to the core; it arrives as a window message `signalbox:port`. */
  connect(): void;
  /** The system's folder picker; null when it was dismissed. */
  pickFolder(): Promise<string | null>;
  /** Opens a web address in the person's browser, after a scheme check in main. */
  openLink(url: string): Promise<boolean>;
  /** A notification of the system, shown only while no window of ours has the focus. */
  notify(notice: { title: string; body: string; command?: ShellCommand }): void;
  onCommand(listener: (command: ShellCommand) => void): () => void;
}
declare global {
  interface Window {
    signalbox?: ShellBridge;
  }
}

/** A WebSocket to the host that served this page. */
export function webSocket(url: string): Connect {
  return (on) =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(url);
      let opened = false;
      socket.onopen = () => {
        opened = true;
        resolve({ send: (message) => socket.send(JSON.stringify(message)), close: () => socket.close() });
      };
      socket.onmessage = ({ data }) => on.message(JSON.parse(String(data)));
      socket.onclose = () => {
        if (opened) on.close();
        else reject(new Error('The core did not answer.'));
      };
    });
}

const PORT_WAIT_MS = 10_000;

/** A MessagePort that the preload hands over, again after each time the core was started anew. */
export function messagePort(shell: ShellBridge): Connect {
  return (on) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        window.removeEventListener('message', take);
        reject(new Error('The core did not answer.'));
      }, PORT_WAIT_MS);
      function take(event: MessageEvent) {
        const port = event.ports[0];
        if (event.source !== window || event.data !== 'signalbox:port' || !port) return;
        clearTimeout(timer);
        window.removeEventListener('message', take);
        port.onmessage = ({ data }) => on.message(data);
        port.addEventListener('close', () => on.close());
        port.start();
        resolve({
          send: (message) => port.postMessage(message),
          close: () => {
            port.close();
            on.close();
          },
        });
      }
      window.addEventListener('message', take);
      shell.connect();
    });
}

const TOKEN = 'signalbox.token';

/**
 * The token of the address (`#token=…`), taken out of it so that it isn't shared with a copied link,
 * and kept for this tab so that a reload still works.
 */
export function takeToken(): string | undefined {
  const given = new URLSearchParams(location.hash.slice(1)).get('token');
  if (given) {
    sessionStorage.setItem(TOKEN, given);
    history.replaceState(null, '', `${location.pathname}${location.search}#/`);
  }
  return given ?? sessionStorage.getItem(TOKEN) ?? undefined;
}

/** How this page reaches its core: by the preload's port in Electron, else by a socket to the same origin. */
export function defaultTransport(): { connect: Connect; token: string | undefined } {
  if (window.signalbox) return { connect: messagePort(window.signalbox), token: undefined };
  const token = takeToken();
  const url = new URL('/wire', location.href);
  url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
  url.hash = '';
  return { connect: webSocket(url.href), token };
}

/**
 * Takes a new token from an address that was opened in the tab of an old page: a core that was started again has
 * another one, and the browser doesn't load a page anew for what follows the `#`.
 */
export function followToken(): void {
  addEventListener('hashchange', () => {
    if (!new URLSearchParams(location.hash.slice(1)).has('token')) return;
    takeToken();
    location.reload();
  });
}
