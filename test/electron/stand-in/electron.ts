/**
 * Just enough of Electron's main process to run our own, unmodified: windows are pages of a real Chromium, utility
 * processes are real processes of Node, and the rest is told to the test. See test/electron/README.md for what this
 * can't prove.
 */
import { EventEmitter } from 'node:events';
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { onOrder, report } from './control.ts';
import { pair } from './ports.ts';
import { handlers, ipcMain, leave, WebContents } from './window.ts';

export { utilityProcess } from './utility.ts';
export { ipcMain };

class App extends EventEmitter {
  readonly isPackaged = false;
  #data = '';
  whenReady = (): Promise<void> => new Promise((done) => setImmediate(done));
  requestSingleInstanceLock = (): boolean => true;
  getVersion = (): string => '0.0.0';
  setAboutPanelOptions = (): void => undefined;
  getPath = (): string => this.#data;
  setPath = (_name: string, path: string): void => {
    mkdirSync(dirname(path), { recursive: true });
    this.#data = path;
  };
  exit = (code: number): void => process.exit(code);
  quit = (): void => {
    let stopped = false;
    this.emit('before-quit', { preventDefault: () => (stopped = true) });
    if (stopped) return;
    report({ kind: 'quit' });
    void leave().finally(() => process.exit(0));
  };
}
export const app = new App();
app.setPath('userData', join(process.env.SIGNALBOX_HOME ?? '/nonexistent', 'window'));

export class MessageChannelMain {
  readonly port1;
  readonly port2;
  constructor() {
    ({ port1: this.port1, port2: this.port2 } = pair());
  }
}

let focused = true;
export class BrowserWindow extends EventEmitter {
  static #all: BrowserWindow[] = [];
  static getFocusedWindow = (): BrowserWindow | null => (focused ? (BrowserWindow.#all[0] ?? null) : null);
  static fromWebContents = (contents: WebContents): BrowserWindow | null =>
    BrowserWindow.#all.find((window) => window.webContents === contents) ?? null;

  readonly webContents: WebContents;
  constructor(options: { webPreferences: { preload: string; contextIsolation: boolean; sandbox: boolean; nodeIntegration: boolean } }) {
    super();
    const { contextIsolation, sandbox, nodeIntegration, preload } = options.webPreferences;
    if (!contextIsolation || !sandbox || nodeIntegration) throw new Error('a window without its walls');
    this.webContents = new WebContents(preload);
    BrowserWindow.#all.push(this);
    app.emit('web-contents-created', {}, this.webContents);
  }
  loadURL = async (address: string): Promise<void> => {
    await this.webContents.loadURL(address);
    this.emit('ready-to-show');
  };
  show = (): void => undefined;
  focus = (): void => undefined;
  restore = (): void => undefined;
  isMinimized = (): boolean => false;
}

export const protocol = {
  registerSchemesAsPrivileged: (): void => undefined,
  handle: (scheme: string, handler: (request: Request) => Promise<Response>): void => void handlers.set(scheme, handler),
};

type Ask = (contents: unknown, permission: string, answer: (allowed: boolean) => void, details: { requestingUrl: string }) => void;
let ask: Ask = (_contents, _permission, answer) => answer(true);
export const session = {
  defaultSession: {
    setPermissionRequestHandler: (handler: Ask): void => void (ask = handler),
    setPermissionCheckHandler: (): void => undefined,
    setDevicePermissionHandler: (): void => undefined,
  },
};
onOrder('ask-permission', ({ permission, url }) =>
  ask(null, permission, (allowed) => report({ kind: 'permission', permission, allowed }), { requestingUrl: url }),
);

export const shell = {
  openExternal: async (url: string): Promise<void> => report({ kind: 'opened-link', url }),
};

let picked: string | null = null;
export const dialog = {
  showOpenDialog: async (): Promise<{ canceled: boolean; filePaths: string[] }> => ({
    canceled: picked === null,
    filePaths: picked === null ? [] : [picked],
  }),
  showErrorBox: (title: string, content: string): void => report({ kind: 'error-box', title, content }),
};
onOrder('pick', ({ path }) => (picked = path));
onOrder('focus', (order) => (focused = order.focused));

let lastNote: Notification | null = null;
export class Notification extends EventEmitter {
  static isSupported = (): boolean => true;
  readonly #options: { title: string; body: string };
  constructor(options: { title: string; body: string }) {
    super();
    this.#options = options;
  }
  show(): void {
    lastNote = this;
    report({ kind: 'notified', title: this.#options.title, body: this.#options.body });
  }
}
onOrder('click-notification', () => lastNote?.emit('click'));

interface Item {
  label?: string;
  submenu?: Item[];
  click?: () => void;
}
let menu: Item[] = [];
const flat = (items: Item[]): Item[] => items.flatMap((item) => [item, ...flat(item.submenu ?? [])]);
export const Menu = {
  buildFromTemplate: (items: Item[]): Item[] => items,
  setApplicationMenu: (items: Item[]): void => {
    menu = flat(items);
    report({ kind: 'menu', labels: menu.flatMap((item) => item.label ?? []) });
  },
};
onOrder('click-menu', ({ label }) => menu.find((item) => item.label === label)?.click?.());

export const nativeTheme = { shouldUseDarkColors: false };

/** No system key store here, as on a Linux without a keyring. */
export const safeStorage = {
  isAsyncEncryptionAvailable: async (): Promise<boolean> => process.env.STAND_IN_KEYS === '1',
  getSelectedStorageBackend: (): string => 'gnome_libsecret',
  encryptStringAsync: async (text: string): Promise<Buffer> => Buffer.from(text.split('').toReversed().join('')),
  decryptStringAsync: async (bytes: Buffer): Promise<{ result: string }> => ({ result: bytes.toString().split('').toReversed().join('') }),
};

onOrder('second-instance', ({ argv, cwd }) => void app.emit('second-instance', {}, argv, cwd));
onOrder('quit', () => app.quit());
