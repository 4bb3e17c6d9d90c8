import { BrowserWindow, Notification } from 'electron';
import { sendCommand } from '../ipc/requests.ts';
import type { Notice } from '../ipc/channels.ts';
import { showWindow } from './window.ts';

/** Tells the person something while they look elsewhere. A click brings the window up and runs the notice's command. */
export function notify(notice: Notice): void {
  if (BrowserWindow.getFocusedWindow() || !Notification.isSupported()) return;
  const note = new Notification({ title: notice.title, body: notice.body });
  note.on('click', () => {
    const window = showWindow();
    if (notice.command) sendCommand(window.webContents, notice.command);
  });
  note.show();
}
