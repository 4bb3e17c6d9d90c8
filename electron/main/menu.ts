import { app, BrowserWindow, Menu, type MenuItemConstructorOptions } from 'electron';
import { sendCommand } from '../ipc/requests.ts';
import { showWindow } from './window.ts';

type Entry = { action: string; label: string; keys?: string } | { role: NonNullable<MenuItemConstructorOptions['role']> } | '---';

const mac = process.platform === 'darwin';

/** The menu as a list: entries of ours name an action of the renderer's registry. */
const menus: { label: string; entries: Entry[] }[] = [
  ...(mac
    ? [
        {
          label: 'Signalbox',
          entries: [{ role: 'about' }, '---', { role: 'hide' }, { role: 'unhide' }, '---', { role: 'quit' }] as Entry[],
        },
      ]
    : []),
  {
    label: 'File',
    entries: [
      { action: 'task.new', label: 'New task', keys: 'CmdOrCtrl+N' },
      { action: 'project.open', label: 'Open a folder', keys: 'CmdOrCtrl+O' },
      '---',
      { action: 'go.settings', label: 'Settings', keys: 'CmdOrCtrl+,' },
      '---',
      { role: mac ? 'close' : 'quit' },
    ],
  },
  {
    label: 'Edit',
    entries: [{ role: 'undo' }, { role: 'redo' }, '---', { role: 'cut' }, { role: 'copy' }, { role: 'paste' }, { role: 'selectAll' }],
  },
  {
    label: 'View',
    entries: [
      { action: 'app.palette', label: 'Search tasks and actions', keys: 'CmdOrCtrl+K' },
      '---',
      { role: 'resetZoom' },
      { role: 'zoomIn' },
      { role: 'zoomOut' },
      { role: 'togglefullscreen' },
      { role: 'toggleDevTools' },
    ],
  },
];

function item(entry: Entry): MenuItemConstructorOptions {
  if (entry === '---') return { type: 'separator' };
  if ('role' in entry) return { role: entry.role };
  return {
    label: entry.label,
    ...(entry.keys ? { accelerator: entry.keys } : {}),
    // Shown, not taken: the page hears the keys itself, so that a terminal keeps those that a shell needs.
    registerAccelerator: false,
    click: () => sendCommand((BrowserWindow.getFocusedWindow() ?? showWindow()).webContents, { action: entry.action }),
  };
}

export function setMenu(): void {
  Menu.setApplicationMenu(Menu.buildFromTemplate(menus.map(({ label, entries }) => ({ label, submenu: entries.map(item) }))));
  app.setAboutPanelOptions({ applicationName: 'Signalbox', applicationVersion: app.getVersion() });
}
