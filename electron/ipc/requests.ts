import { ipcMain, type MessagePortMain, type WebContents } from 'electron';
import { channels, type Command, type Notice } from './channels.ts';
import { isOurFrame } from './sender.ts';

/** What main does for the page. Every request was checked for its sender before it comes here. */
export interface Requests {
  connect(contents: WebContents): void;
  pickFolder(contents: WebContents): Promise<string | null>;
  openLink(url: string): boolean;
  notify(notice: Notice): void;
}

const text = (value: unknown, limit: number): string => (typeof value === 'string' ? value.slice(0, limit) : '');

/** A page may be led astray: take nothing but the fields we know, as text of bounded length. */
function asNotice(value: unknown): Notice {
  const { title, body, command } = (value ?? {}) as Record<string, unknown>;
  const { action, subject } = (command ?? {}) as Record<string, unknown>;
  const wanted: Command = { action: text(action, 100), ...(subject === undefined ? {} : { subject: text(subject, 1000) }) };
  return { title: text(title, 200), body: text(body, 500), ...(wanted.action === '' ? {} : { command: wanted }) };
}

/** Answers the page's requests; a sender that isn't our page's top frame is refused. */
export function answerRequests(requests: Requests): void {
  ipcMain.on(channels.connect, (event) => {
    if (isOurFrame(event.senderFrame)) requests.connect(event.sender);
  });
  ipcMain.on(channels.notify, (event, notice: unknown) => {
    if (isOurFrame(event.senderFrame)) requests.notify(asNotice(notice));
  });
  ipcMain.handle(channels.pickFolder, (event) => {
    if (!isOurFrame(event.senderFrame)) throw new Error('refused');
    return requests.pickFolder(event.sender);
  });
  ipcMain.handle(channels.openLink, (event, url: unknown) => {
    if (!isOurFrame(event.senderFrame)) throw new Error('refused');
    return requests.openLink(text(url, 10_000));
  });
}

/** Gives the page its end of a connection to the core. */
export const handPort = (contents: WebContents, port: MessagePortMain): void => contents.postMessage(channels.port, null, [port]);

/** Asks the page to run one of its actions. */
export const sendCommand = (contents: WebContents, command: Command): void => contents.send(channels.command, command);
