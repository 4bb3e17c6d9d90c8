import { app, session, shell, type WebContents } from 'electron';
import { isOurPage } from '../ipc/sender.ts';

/** Links leave for the person's browser, and only with these schemes; false for any other. */
export function openLink(url: string): boolean {
  let scheme: string;
  try {
    scheme = new URL(url).protocol;
  } catch {
    return false;
  }
  if (!['http:', 'https:', 'mailto:'].includes(scheme)) return false;
  shell.openExternal(url).catch((error: unknown) => console.error('signalbox: the link could not be opened:', error));
  return true;
}

function confine(contents: WebContents): void {
  contents.on('will-navigate', (event) => {
    if (!isOurPage(event.url)) event.preventDefault();
  });
  contents.on('will-frame-navigate', (event) => {
    if (!isOurPage(event.url)) event.preventDefault();
  });
  contents.on('will-redirect', (event) => event.preventDefault());
  contents.on('will-attach-webview', (event) => event.preventDefault());
  contents.setWindowOpenHandler(({ url }) => {
    openLink(url);
    return { action: 'deny' };
  });
}

/** Copying text is the one permission that the page has use for. */
const allowed = (permission: string, address: string): boolean => permission === 'clipboard-sanitized-write' && isOurPage(address);

/** Denies navigation, new windows, embedded pages and permissions, for every page that will ever be made. */
export function denyByDefault(): void {
  app.on('web-contents-created', (_event, contents) => confine(contents));
  session.defaultSession.setPermissionRequestHandler((_contents, permission, answer, details) =>
    answer(allowed(permission, details.requestingUrl)),
  );
  session.defaultSession.setPermissionCheckHandler((_contents, permission, origin) => allowed(permission, origin));
  session.defaultSession.setDevicePermissionHandler(() => false);
}
