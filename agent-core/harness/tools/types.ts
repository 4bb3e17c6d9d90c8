import type { Item } from '../../contract/index.ts';
import type { ToolSpec, TurnHost, TurnInput } from '../types.ts';
import type { Sessions } from './session.ts';

/** What the model gets back: text, or images with or without text. */
export type ToolOutput = string | ({ type: 'input_text'; text: string } | { type: 'input_image'; image_url: string; detail: 'auto' })[];

/** One call of a tool, with what it needs of its turn. */
export interface Call {
  id: string;
  input: TurnInput;
  host: TurnHost;
  sessions: Sessions;
  /** Resolves once the call itself is durable. */
  recorded: Promise<void>;
  /** A new item of this turn: running, begun now. */
  item<T extends Item['type']>(
    type: T,
  ): { id: Item['id']; threadId: Item['threadId']; turnId: Item['turnId']; startedAt: number; endedAt: null; type: T };
  /** Resolves once the call itself and this item are durable: a tool acts only after it. */
  begin(item: Item): Promise<void>;
  /** Completes an item; durable before the step ends, without holding up this call. */
  end(item: Item): void;
}

export interface Tool {
  name: string;
  /** May run at the same time as other parallel tools; the others run alone. */
  parallel: boolean;
  spec(input: TurnInput): ToolSpec;
  /** Whether it is offered in this turn; always, where absent. */
  offered?(input: TurnInput): boolean;
  /**
   * `args` is the parsed JSON of a function call, or the text of a freeform one. What went wrong in a way that the
   * model can mend is returned as text or thrown as {@link Rejected}; a `Failure` ends the turn.
   */
  run(args: unknown, call: Call): Promise<ToolOutput>;
}

/** What the model did wrong, in words for it. */
export class Rejected extends Error {}
