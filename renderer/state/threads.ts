import type { AppError, Item, StoredEvent, Transient, Turn } from '../../agent-core/contract/index.ts';

/** A thread's conversation as far as this client has read it, oldest first. */
export interface ThreadState {
  status: 'loading' | 'ready' | 'failed';
  error: AppError | null;
  /** Ids in the order they began; `items` holds their newest form. */
  order: readonly string[];
  items: Readonly<Record<string, Item>>;
  turns: readonly Turn[];
  /** Older items can still be read. */
  more: boolean;
  /** Up to this event everything is in. */
  seq: number;
}

export const loadingThread: ThreadState = { status: 'loading', error: null, order: [], items: {}, turns: [], more: false, seq: -1 };

const putTurn = (turns: readonly Turn[], turn: Turn): readonly Turn[] =>
  turns.some(({ id }) => id === turn.id) ? turns.map((known) => (known.id === turn.id ? turn : known)) : [...turns, turn];

/** Folds one event into a thread. An event about another thread changes nothing. */
export function foldThread(threadId: string, state: ThreadState, { seq, event }: StoredEvent): ThreadState {
  if (seq <= state.seq) return state;
  switch (event.type) {
    case 'item.started':
    case 'item.updated':
    case 'item.completed': {
      const { item } = event;
      if (item.threadId !== threadId) return state;
      const order = state.items[item.id] ? state.order : [...state.order, item.id];
      return { ...state, seq, order, items: { ...state.items, [item.id]: item } };
    }
    case 'turn.started':
    case 'turn.updated':
    case 'turn.ended':
      return event.turn.threadId === threadId ? { ...state, seq, turns: putTurn(state.turns, event.turn) } : state;
    case 'thread.rewound':
      return event.threadId === threadId ? withoutTurns({ ...state, seq }, event.from) : state;
    default:
      return state;
  }
}

/** What is left when the turns from a number on are undone. What came back is read anew. */
function withoutTurns(state: ThreadState, from: number): ThreadState {
  const gone = new Set(state.turns.filter(({ number }) => number >= from).map(({ id }) => id));
  return {
    ...state,
    turns: state.turns.filter(({ id }) => !gone.has(id)),
    order: state.order.filter((id) => !gone.has(state.items[id]!.turnId)),
    items: Object.fromEntries(Object.entries(state.items).filter(([, item]) => !gone.has(item.turnId))),
  };
}

/** Adds streamed text to the item it belongs to. */
export function foldDelta(state: ThreadState, { itemId, text }: Extract<Transient, { type: 'item.delta' }>): ThreadState {
  const item = state.items[itemId];
  if (!item) return state;
  const grown =
    item.type === 'agentMessage' || item.type === 'reasoning'
      ? { ...item, text: item.text + text }
      : item.type === 'command'
        ? { ...item, output: item.output + text, outputBytes: item.outputBytes + text.length }
        : item.type === 'toolCall'
          ? { ...item, output: item.output + text }
          : item;
  return grown === item ? state : { ...state, items: { ...state.items, [itemId]: grown } };
}
