import { app, dialog } from 'electron';
import { resolve } from 'node:path';
import { KEYS_IN_SYSTEM, OPEN_ON } from '../core-process/messages.ts';
import { answerRequests, handPort, sendCommand } from '../ipc/requests.ts';
import { CoreKeeper } from './core-keeper.ts';
import { pickFolder } from './dialogs.ts';
import { readKey, systemKeysWork, writeKey } from './key-store.ts';
import { setMenu } from './menu.ts';
import { notify } from './notifications.ts';
import { declareScheme, servePage } from './page.ts';
import { paths, separateHomes } from './paths.ts';
import { denyByDefault, openLink } from './security.ts';
import { showWindow } from './window.ts';

/** The folder that a command line asks for: the last word that is no option, from the folder it was typed in. */
function folderOf(words: string[], from: string): string | null {
  const given = words
    .slice(app.isPackaged ? 1 : 2)
    .filter((word) => !word.startsWith('-'))
    .at(-1);
  return given === undefined ? null : resolve(from, given);
}

async function coreKeeper(): Promise<CoreKeeper> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) if (value !== undefined) env[name] = value;
  if (await systemKeysWork()) env[KEYS_IN_SYSTEM] = '1';
  const folder = folderOf(process.argv, process.cwd());
  if (folder) env[OPEN_ON] = folder;
  return new CoreKeeper({
    entry: paths.coreProcess,
    env,
    answer: async (request) => {
      if (request.kind === 'key/get') return readKey(paths.key());
      await writeKey(paths.key(), request.key);
      return null;
    },
    onFailure: (message) => dialog.showErrorBox('Signalbox could not start its core', message),
    onDeath: (code) => console.error(`signalbox: the core ended with ${code}; starting it again`),
  });
}

async function begin(): Promise<void> {
  await app.whenReady();
  denyByDefault();
  servePage(paths.renderer);
  setMenu();
  const keeper = await coreKeeper();
  keeper.start();
  answerRequests({ connect: (contents) => handPort(contents, keeper.connect()), pickFolder, openLink, notify });
  showWindow();

  app.on('activate', () => showWindow());
  app.on('second-instance', (_event, words, from) => {
    const folder = folderOf(words, from);
    const window = showWindow();
    if (folder) sendCommand(window.webContents, { action: 'project.open', subject: folder });
  });
  app.on('window-all-closed', () => {
    if (process.platform !== 'darwin') app.quit();
  });
  let stopped = false;
  app.on('before-quit', (event) => {
    if (stopped) return;
    event.preventDefault();
    void keeper.stop().finally(() => {
      stopped = true;
      app.quit();
    });
  });
}

separateHomes(process.env.SIGNALBOX_HOME);
if (app.requestSingleInstanceLock()) {
  declareScheme();
  begin().catch((error: unknown) => {
    dialog.showErrorBox('Signalbox could not start', error instanceof Error ? error.message : String(error));
    app.exit(1);
  });
} else {
  app.quit();
}
