import { z } from 'zod';
import { AppError } from './errors.ts';
import { StoredEvent, Transient } from './events.ts';

/** Rises with any change that an older client can't read. */
export const WIRE_VERSION = 1;

/** A client's request; `id` is its own and comes back with the answer. */
export const Request = z.object({ id: z.number().int(), method: z.string(), params: z.unknown() });
export type Request = z.infer<typeof Request>;

/**
 * What the core sends. `events` covers all of `from`…`to` (inclusive) as far as it concerns this client;
 * when `from` isn't one more than the last `to`, something was dropped and the client asks for a snapshot.
 */
export const ServerMessage = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('result'), id: z.number().int(), value: z.unknown() }),
  z.object({ kind: z.literal('error'), id: z.number().int(), error: AppError }),
  z.object({ kind: z.literal('events'), from: z.number().int(), to: z.number().int(), events: z.array(StoredEvent) }),
  z.object({ kind: z.literal('transient'), items: z.array(Transient) }),
]);
export type ServerMessage = z.infer<typeof ServerMessage>;

/** A two-way channel of JSON values, in order: a MessagePort, a WebSocket, a Unix socket or a pair in memory. */
export interface Channel {
  send(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
  onClose(listener: () => void): void;
  close(): void;
  /** Bytes accepted but not yet taken by the other side; 0 where the channel can't tell. */
  readonly pending: number;
}
