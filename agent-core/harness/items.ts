import type { ItemOf } from '../contract/index.ts';
import { newId } from '../support/ids.ts';
import { textOf } from './history.ts';
import type { ModelEvent } from './model/index.ts';
import type { HistoryItem, TurnHost, TurnInput } from './types.ts';

type Spoken = ItemOf<'agentMessage' | 'reasoning'>;

/** The base of a new item of a turn. */
export const newItem = <T extends string>(input: TurnInput, type: T) => ({
  id: newId<ItemOf<'notice'>['id']>('item'),
  threadId: input.threadId,
  turnId: input.turnId,
  startedAt: Date.now(),
  endedAt: null,
  type,
});

/**
 * One reply's messages and reasoning as items. An attempt that breaks empties what it said; the next one fills the
 * same items again, so that nothing shows twice.
 */
export class Speech {
  readonly #input: TurnInput;
  readonly #host: TurnHost;
  #slots = new Map<number, Spoken>();
  #spare: Spoken[] = [];
  /** Arguments of calls that are being written, by their place. */
  readonly #drafts = new Map<number, string>();

  constructor(input: TurnInput, host: TurnHost) {
    this.#input = input;
    this.#host = host;
  }

  async on(event: ModelEvent): Promise<void> {
    if (event.type === 'restart') return this.#restart();
    if (event.type === 'search') return this.#searched(event);
    if (event.type === 'call') {
      const draft = (this.#drafts.get(event.at) ?? '') + event.delta;
      this.#drafts.set(event.at, draft);
      this.#host.drafting?.(event.name, draft);
      return;
    }
    const item = this.#slots.get(event.at) ?? (await this.#open(event.at, event.type === 'text' ? 'agentMessage' : 'reasoning'));
    item.text += event.delta;
    this.#host.itemDelta(item.id, event.delta);
  }

  /** A search is over when it is told: its sources stand in its output, one a line. */
  async #searched({ query, sources }: { query: string; sources: string[] }): Promise<void> {
    const item = {
      ...newItem(this.#input, 'toolCall' as const),
      name: 'web_search',
      arguments: JSON.stringify({ query }),
      status: 'completed' as const,
      output: sources.join('\n'),
      endedAt: Date.now(),
    };
    await this.#host.itemStarted(item);
    await this.#host.itemCompleted(item);
  }

  async #open(at: number, type: Spoken['type']): Promise<Spoken> {
    const spare = this.#spare.findIndex((item) => item.type === type);
    const item: Spoken = spare >= 0 ? this.#spare.splice(spare, 1)[0]! : { ...newItem(this.#input, type), text: '' };
    this.#slots.set(at, item);
    if (spare < 0) await this.#host.itemStarted({ ...item });
    return item;
  }

  async #restart(): Promise<void> {
    this.#drafts.clear();
    this.#spare.push(...this.#slots.values());
    this.#slots = new Map();
    const said = this.#spare.filter((item) => item.text);
    for (const item of said) item.text = '';
    await Promise.all(said.map((item) => this.#host.itemUpdated({ ...item })));
  }

  /** Completes all items of the reply, those that came without streaming too. */
  async finish(items: HistoryItem[]): Promise<void> {
    const complete: Promise<void>[] = [];
    const spoken = [...this.#slots].toSorted(([a], [b]) => a - b).map(([, item]) => item);
    for (const item of items) {
      const type = item.type === 'message' ? ('agentMessage' as const) : item.type === 'reasoning' ? ('reasoning' as const) : null;
      if (!type) continue;
      const at = spoken.findIndex((one) => one.type === type);
      const streamed = at >= 0 ? spoken.splice(at, 1)[0] : undefined;
      const text =
        (item.type === 'message'
          ? textOf(item)
          : item.type === 'reasoning'
            ? (item.summary?.map((part) => part.text).join('\n\n') ?? '')
            : '') ||
        streamed?.text ||
        '';
      if (!streamed && !text) continue;
      const whole: Spoken = streamed ? { ...streamed, text } : { ...newItem(this.#input, type), text };
      if (!streamed) complete.push(this.#host.itemStarted(whole));
      complete.push(this.#host.itemCompleted({ ...whole, endedAt: Date.now() }));
    }
    complete.push(...this.#close([...spoken, ...this.#spare]));
    await Promise.all(complete);
  }

  /** Completes what was said as far as it came; returns the words of its messages. */
  async abandon(): Promise<string> {
    const items = [...this.#slots.values()];
    await Promise.all(this.#close([...items, ...this.#spare]));
    return items
      .filter((item) => item.type === 'agentMessage')
      .map((item) => item.text)
      .join('\n\n');
  }

  #close(items: Spoken[]): Promise<void>[] {
    return items.map((item) => this.#host.itemCompleted({ ...item, endedAt: Date.now() }));
  }
}
