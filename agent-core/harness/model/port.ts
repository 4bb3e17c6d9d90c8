import type { Usage } from '../../contract/index.ts';
import type { HistoryItem, ToolSpec } from '../types.ts';

export interface ModelRequest {
  /** Everything the model is sent, oldest first. It only grows within a turn, so that the provider's cache hits. */
  input: HistoryItem[];
  tools: ToolSpec[];
  /** The same for all requests of a thread. */
  cacheKey: string;
}

/** What comes before the reply is complete. `at` is the place of the item in the reply. */
export type ModelEvent =
  | { type: 'text' | 'reasoning'; at: number; delta: string }
  /** Arguments of a call as they are written. */
  | { type: 'call'; at: number; name: string; delta: string }
  /** The provider searched the web, or opened a page. */
  | { type: 'search'; query: string; sources: string[] }
  /** The attempt broke: what was told since the last restart will be told anew, perhaps differently. */
  | { type: 'restart' };

export interface ModelReply {
  /** In the reply's order; fit to be sent back as history. */
  items: HistoryItem[];
  usage: Usage;
}

export interface ModelCall {
  signal: AbortSignal;
  /** Awaited, so that a slow listener slows the stream. */
  on(event: ModelEvent): void | Promise<void>;
}

/**
 * A model behind some wire. `ask` resolves once the provider said that the reply is complete. It throws a
 * `ModelFault` for anything the provider or the network did, and the signal's reason when aborted.
 */
export interface ModelPort {
  ask(request: ModelRequest, call: ModelCall): Promise<ModelReply>;
}
