import type { Socket } from 'node:net';

/** The other side went, stayed silent for too long, or sent more than was expected. */
export class StreamEnded extends Error {}

export interface ReadLimits {
  bytes: number;
  ms: number;
}

/**
 * Gathers bytes from the start of a connection until `parse` can tell something; what it did not use goes back, so that
 * whoever reads next sees it. `parse` gets all bytes so far and answers null for more. The socket is left paused.
 * Rejects with {@link StreamEnded}, or what `parse` throws.
 */
export function readStart<T>(socket: Socket, limits: ReadLimits, parse: (bytes: Buffer) => { value: T; used: number } | null): Promise<T> {
  return new Promise((resolve, reject) => {
    let gathered: Buffer = Buffer.alloc(0);
    const finish = (settle: () => void) => {
      clearTimeout(timer);
      socket.off('data', take).off('end', gone).off('close', gone).off('error', gone);
      socket.pause();
      settle();
    };
    const fail = (error: unknown) => finish(() => reject(error instanceof Error ? error : new StreamEnded(String(error))));
    const gone = () => fail(new StreamEnded('The connection was closed.'));
    const take = (chunk: Buffer) => {
      gathered = gathered.length === 0 ? chunk : Buffer.concat([gathered, chunk]);
      let found: { value: T; used: number } | null;
      try {
        found = parse(gathered);
      } catch (error) {
        fail(error);
        return;
      }
      if (found) {
        const { value, used } = found;
        finish(() => {
          if (used < gathered.length) socket.unshift(gathered.subarray(used));
          resolve(value);
        });
      } else if (gathered.length > limits.bytes) fail(new StreamEnded('More was sent than such a greeting has.'));
    };
    const timer = setTimeout(() => fail(new StreamEnded('Nothing came for too long.')), limits.ms);
    socket.on('data', take).once('end', gone).once('close', gone).once('error', gone);
    if (socket.destroyed || socket.readableEnded) gone();
    else socket.resume();
  });
}

/** Ends a socket when nothing went over it in either direction for so long. */
export function endWhenIdle(socket: Socket, ms: number): void {
  socket.setTimeout(ms, () => socket.destroy());
}

/**
 * Joins two connections until both directions have ended. Each side reads only as fast as the other takes; a side that
 * breaks takes the other along. Resolves when both are closed; never rejects.
 */
export async function splice(a: Socket, b: Socket, idleMs: number): Promise<void> {
  const closed = (socket: Socket, other: Socket) =>
    new Promise<void>((resolve) => {
      const done = () => {
        if (!other.destroyed && !(socket.readableEnded && other.writableEnded)) other.destroy();
        resolve();
      };
      if (socket.destroyed) done();
      else socket.once('close', done);
    });
  for (const socket of [a, b]) {
    socket.on('error', () => socket.destroy());
    endWhenIdle(socket, idleMs);
  }
  a.pipe(b);
  b.pipe(a);
  await Promise.all([closed(a, b), closed(b, a)]);
}
