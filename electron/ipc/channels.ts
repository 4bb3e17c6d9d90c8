/** The names of raw IPC, in one place for both sides. */
export const channels = {
  connect: 'signalbox:connect',
  port: 'signalbox:port',
  pickFolder: 'signalbox:pick-folder',
  openLink: 'signalbox:open-link',
  notify: 'signalbox:notify',
  command: 'signalbox:command',
} as const;

/** What a click on a notification opens, or what a menu entry runs: an action of the renderer's registry. */
export interface Command {
  action: string;
  /** A task's id, a folder's path: what the action is about. */
  subject?: string;
}

export interface Notice {
  title: string;
  body: string;
  /** The command to run in the window when the person clicks it. */
  command?: Command;
}

/**
 * What the page sees as `window.signalbox`. The page asks for a port with `connect()` and gets it as a `message`
 * event on `window` with `data === 'signalbox:port'` and the MessagePort in `ports[0]`, whose messages are those of
 * the contract's wire. When the core dies the port closes; `connect()` again gives one to the next core.
 */
export interface Bridge {
  readonly platform: 'linux' | 'darwin' | 'win32';
  connect(): void;
  /** The system's folder picker: an absolute path, or null when it was cancelled. */
  pickFolder(): Promise<string | null>;
  /** Opens an http(s) or mailto link in the person's browser; answers false for any other scheme. */
  openLink(url: string): Promise<boolean>;
  /** A notification of the system, shown only while no window of ours has the focus. */
  notify(notice: Notice): void;
  /** Called with what the menu, a notification or a second start of the app asks for. Ends with the returned function. */
  onCommand(listener: (command: Command) => void): () => void;
}
