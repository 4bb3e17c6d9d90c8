import { BrowserWindow, nativeTheme } from 'electron';
import { PAGE } from '../ipc/sender.ts';
import { paths } from './paths.ts';

let main: BrowserWindow | null = null;

/** The colour of the page before its first paint, so that nothing flashes. */
const background = (): string => (nativeTheme.shouldUseDarkColors ? '#16181d' : '#f7f7f5');

function createWindow(): BrowserWindow {
  const window = new BrowserWindow({
    width: 1440,
    height: 920,
    minWidth: 720,
    minHeight: 480,
    title: 'Signalbox',
    show: false,
    backgroundColor: background(),
    webPreferences: {
      preload: paths.preload,
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      webSecurity: true,
      webviewTag: false,
      spellcheck: false,
    },
  });
  window.once('ready-to-show', () => window.show());
  window.on('closed', () => {
    if (main === window) main = null;
  });
  void window.loadURL(`${PAGE}/`);
  return window;
}

/** The app's window, in front; made when there is none. */
export function showWindow(): BrowserWindow {
  main ??= createWindow();
  if (main.isMinimized()) main.restore();
  main.focus();
  return main;
}
