/** What a call from the page to the stand-in's main carries. */
export type Call =
  | { kind: 'send'; channel: string; args: unknown[] }
  | { kind: 'invoke'; channel: string; args: unknown[] }
  | { kind: 'port'; id: number; data: unknown }
  | { kind: 'close'; id: number }
  | { kind: 'open'; url: string };

/** What main calls in the page. */
export interface PageSide {
  deliver(channel: string, args: unknown[], ports: number[]): void;
  port(id: number, data: unknown): void;
  closePort(id: number): void;
}

declare global {
  interface Window {
    __standInCall(call: Call): Promise<unknown>;
    __standIn: PageSide;
  }
}

/** Runs in the page, before its own scripts: `electron` as a preload sees it. Must not refer to anything outside itself. */
export function pageSide(): { contextBridge: object; ipcRenderer: object } {
  const listeners = new Map<string, Set<(event: { ports: MessagePort[] }, ...args: unknown[]) => void>>();
  const ports = new Map<number, MessagePort>();
  const call = (message: Call) => window.__standInCall(message);
  const open = window.open.bind(window);
  window.open = (url) => {
    const address = new URL(url ?? 'about:blank', window.location.href).href;
    void call({ kind: 'open', url: address }).then((allowed) => allowed === true && open(address));
    return null;
  };
  const arrive = (id: number): MessagePort => {
    const { port1, port2 } = new MessageChannel();
    ports.set(id, port1);
    port1.onmessage = ({ data }) => void call({ kind: 'port', id, data });
    port1.addEventListener('close', () => void call({ kind: 'close', id }));
    return port2;
  };
  window.__standIn = {
    deliver: (channel, args, ids) => {
      const made = ids.map(arrive);
      for (const listener of listeners.get(channel) ?? []) listener({ ports: made }, ...args);
    },
    port: (id, data) => ports.get(id)?.postMessage(data),
    closePort: (id) => {
      ports.get(id)?.close();
      ports.delete(id);
    },
  };
  return {
    contextBridge: {
      exposeInMainWorld: (name: string, value: unknown) => Object.defineProperty(window, name, { value, enumerable: true }),
    },
    ipcRenderer: {
      send: (channel: string, ...args: unknown[]) => void call({ kind: 'send', channel, args }),
      invoke: (channel: string, ...args: unknown[]) => call({ kind: 'invoke', channel, args }),
      on: (channel: string, listener: () => void) => listeners.set(channel, (listeners.get(channel) ?? new Set()).add(listener)),
      off: (channel: string, listener: () => void) => listeners.get(channel)?.delete(listener),
    },
  };
}

/** The script that runs the real preload bundle in the page. */
export const preloadScript = (code: string): string => `(() => {
  if (window.top !== window || window.__standIn) return;
  const electron = (${pageSide.toString()})();
  const module = { exports: {} };
  ((require, module, exports, process) => {${code}\n})(() => electron, module, module.exports, { platform: ${JSON.stringify(process.platform)} });
})();`;
