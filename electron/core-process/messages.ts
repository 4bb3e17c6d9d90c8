/** What main tells the core process. `client` comes with one port, the other end of which a page holds. */
export type ToCore = { kind: 'client' } | { kind: 'stop' } | { kind: 'answer'; id: number; value: string | null; error?: string };

/**
 * What the core process asks of main (the model key, which only main can reach in the system's key store) and tells
 * it: that it is ready, or why no core can be had in this home.
 */
export type FromCore =
  | { kind: 'key/get'; id: number }
  | { kind: 'key/set'; id: number; key: string | null }
  | { kind: 'ready' }
  | { kind: 'failed'; message: string };

/** Set in the core process's environment where the system's key store works. */
export const KEYS_IN_SYSTEM = 'SIGNALBOX_KEYS_IN_SYSTEM';
/** The folder that the app was opened on, in the core process's environment. */
export const OPEN_ON = 'SIGNALBOX_OPEN_ON';
