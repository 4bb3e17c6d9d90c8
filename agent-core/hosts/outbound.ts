import type { Channel, ItemId, ServerMessage, StoredEvent, ThreadId, Transient } from '../contract/index.ts';

/** Bytes that may wait in a channel before its client counts as slow. */
const SLOW_BYTES = 4 * 1024 * 1024;
/** Events that wait for a slow client; with more, all are dropped and the gap makes it ask for a snapshot. */
const EVENT_LIMIT = 4096;
/** Characters of streamed text that wait for a slow client; with more, only the newest are kept until the item's next event. */
const DELTA_LIMIT = 65_536;
const TICK_MS = 16;

const streamOf = (news: Transient): string => {
  switch (news.type) {
    case 'item.delta':
      return `item:${news.itemId}`;
    case 'terminal.output':
    case 'terminal.exited':
      return `terminal:${news.terminalId}`;
    case 'activity':
    case 'network':
      return `${news.type}:${news.taskId}`;
    case 'sandbox':
      return 'sandbox';
    case 'mcp':
      return `mcp:${news.health.serverId}`;
  }
};

function merge(before: Transient, news: Transient): Transient {
  if (before.type === 'item.delta' && news.type === 'item.delta') {
    const text = before.text + news.text;
    return { ...news, text: text.length > DELTA_LIMIT ? text.slice(-DELTA_LIMIT) : text };
  }
  if (before.type === 'terminal.output' && news.type === 'terminal.output') return { ...news, data: before.data + news.data };
  return news;
}

const itemOf = ({ event }: StoredEvent): { id: ItemId; threadId: ThreadId } | null =>
  event.type === 'item.started' || event.type === 'item.updated' || event.type === 'item.completed' ? event.item : null;

/**
 * What one client is sent besides answers. Events go in order at once, each message covering a whole range of
 * sequence numbers; streams go first chunk at once, then at most one message each 16 ms, joined. A client that
 * doesn't read gets a bounded queue, then a gap; the core never waits for it. Terminal output isn't dropped
 * here: its own acknowledgements bound it. An item's event replaces the pending text of that item.
 */
export class Outbound {
  readonly #channel: Channel;
  readonly #threads: ReadonlySet<ThreadId>;
  /** The newest seq that the client was told of, and the newest that came by; null before the first snapshot. */
  #sent: number | null = null;
  #seen = 0;
  #queue: StoredEvent[] = [];
  #lost = false;
  /** A stream's waiting news; null when it was served in this tick and nothing waits. */
  readonly #streams = new Map<string, Transient | null>();
  #timer: NodeJS.Timeout | null = null;

  constructor(channel: Channel, threads: ReadonlySet<ThreadId>) {
    this.#channel = channel;
    this.#threads = threads;
  }

  /** The client is about to get a snapshot at `seq`; events after it follow. */
  startAt(seq: number): void {
    this.#sent = seq;
    this.#seen = Math.max(this.#seen, seq);
    this.#queue = this.#queue.filter((stored) => stored.seq > seq);
    this.#lost = false;
  }

  events(batch: readonly StoredEvent[]): void {
    if (this.#sent === null) return;
    for (const stored of batch) {
      if (stored.seq <= this.#seen) continue;
      this.#seen = stored.seq;
      const item = itemOf(stored);
      if (item && !this.#threads.has(item.threadId)) continue;
      if (item && this.#streams.get(`item:${item.id}`)) this.#streams.set(`item:${item.id}`, null);
      this.#queue.push(stored);
    }
    if (this.#queue.length > EVENT_LIMIT) {
      this.#queue = [];
      this.#lost = true;
    }
    this.#flushEvents();
  }

  transient(news: Transient): void {
    if (this.#sent === null) return;
    if (news.type === 'item.delta' && !this.#threads.has(news.threadId)) return;
    const key = streamOf(news);
    const waiting = this.#streams.get(key);
    if (news.type === 'terminal.exited') {
      this.#streams.delete(key);
      this.#send({ kind: 'transient', items: waiting ? [waiting, news] : [news] });
      return;
    }
    if (waiting === undefined && !this.#slow) {
      this.#streams.set(key, null);
      this.#send({ kind: 'transient', items: [news] });
    } else {
      this.#streams.set(key, waiting ? merge(waiting, news) : news);
    }
    this.#arm();
  }

  dispose(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#sent = null;
    this.#queue = [];
    this.#streams.clear();
  }

  get #slow(): boolean {
    return this.#channel.pending > SLOW_BYTES;
  }

  #send(message: ServerMessage): void {
    this.#channel.send(message);
  }

  #flushEvents(): void {
    if (this.#sent === null || (!this.#queue.length && !this.#lost)) return;
    if (this.#slow) {
      this.#arm();
      return;
    }
    if (this.#lost) {
      // An empty range that doesn't follow on: all it says is that something between is missing.
      this.#send({ kind: 'events', from: this.#seen + 1, to: this.#seen, events: [] });
    } else {
      this.#send({ kind: 'events', from: this.#sent + 1, to: this.#seen, events: this.#queue });
    }
    this.#sent = this.#seen;
    this.#queue = [];
    this.#lost = false;
  }

  #arm(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#tick();
    }, TICK_MS).unref();
  }

  #tick(): void {
    this.#flushEvents();
    if (!this.#slow) {
      const items: Transient[] = [];
      for (const [key, waiting] of this.#streams) {
        if (waiting) {
          items.push(waiting);
          this.#streams.set(key, null);
        } else this.#streams.delete(key);
      }
      if (items.length) this.#send({ kind: 'transient', items });
    }
    if (this.#streams.size || this.#queue.length || this.#lost) this.#arm();
  }
}
