import { contextBridge, ipcRenderer } from 'electron';
import { channels, type Bridge, type Command, type Notice } from '../ipc/channels.ts';

/** Runs in the sandboxed page before anything else: hands over ports and a few functions, never ipcRenderer itself. */
const bridge: Bridge = {
  platform: process.platform as Bridge['platform'],
  connect: () => ipcRenderer.send(channels.connect),
  pickFolder: () => ipcRenderer.invoke(channels.pickFolder) as Promise<string | null>,
  openLink: (url: string) => ipcRenderer.invoke(channels.openLink, url) as Promise<boolean>,
  notify: (notice: Notice) => ipcRenderer.send(channels.notify, notice),
  onCommand: (listener) => {
    const pass = (_event: unknown, command: Command): void => listener(command);
    ipcRenderer.on(channels.command, pass);
    return () => void ipcRenderer.off(channels.command, pass);
  },
};

// A port can't cross the bridge as a value; it goes with a message to the page's own origin.
ipcRenderer.on(channels.port, (event) => window.postMessage(channels.port, window.location.origin, [...event.ports]));

contextBridge.exposeInMainWorld('signalbox', bridge);
