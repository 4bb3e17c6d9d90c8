import { BrowserWindow, dialog, type OpenDialogOptions, type WebContents } from 'electron';

/** The system's folder picker, in front of the window that asked. */
export async function pickFolder(contents: WebContents): Promise<string | null> {
  const window = BrowserWindow.fromWebContents(contents);
  const options: OpenDialogOptions = { title: 'Open a project', buttonLabel: 'Open', properties: ['openDirectory', 'createDirectory'] };
  const { canceled, filePaths } = window ? await dialog.showOpenDialog(window, options) : await dialog.showOpenDialog(options);
  return canceled ? null : (filePaths[0] ?? null);
}
