import { frame, type WireEvent } from '../../agent-core/demo/wire.ts';

/** Ways in which real servers and the proxies before them speak the wire otherwise than the API; each must be borne. */
export interface Dialect {
  /** Lines end with CRLF. */
  crlf?: boolean;
  /** A comment before each event, as proxies send to keep a connection open. */
  pings?: boolean;
  /** Only `data:` lines, without `event:`. */
  noEventNames?: boolean;
  /** `data: [DONE]` after the terminal event. */
  done?: boolean;
  /** Written in pieces of this many bytes, also amid a character. */
  pieces?: number;
  noSequenceNumbers?: boolean;
  /** The terminal event lists no output; the items came before. */
  emptyFinal?: boolean;
  /** Only the terminal event, with all output in it. */
  onlyFinal?: boolean;
  /** No deltas: items are added and done at once. */
  noDeltas?: boolean;
  /** The terminal event counts no tokens. */
  noUsage?: boolean;
  /** Events and items of a kind that nobody knows yet, in between. */
  future?: boolean;
}

const terminal = /^response\.(completed|incomplete|failed)$/;

function withFinal(event: WireEvent, dialect: Dialect): WireEvent {
  if (!terminal.test(event.type)) return event;
  const response = { ...(event['response'] as Record<string, unknown>) };
  if (dialect.emptyFinal) response['output'] = [];
  if (dialect.noUsage) response['usage'] = null;
  return { ...event, response };
}

function strange(event: WireEvent): WireEvent[] {
  if (event.type !== 'response.in_progress') return [event];
  const item = { id: 'fut_1', type: 'future_thing', status: 'completed', hologram: true };
  const odd = (type: string, more: Record<string, unknown>): WireEvent => ({ type, sequence_number: event.sequence_number, ...more });
  return [
    event,
    odd('response.future.delta', { delta: { x: 1 } }),
    odd('response.output_item.added', { output_index: 90, item }),
    odd('response.output_item.done', { output_index: 90, item }),
  ];
}

/** The events as this dialect has them. */
export function inDialect(events: readonly WireEvent[], dialect: Dialect): WireEvent[] {
  return events
    .filter((event) => !dialect.onlyFinal || terminal.test(event.type))
    .filter((event) => !dialect.noDeltas || !event.type.endsWith('.delta'))
    .flatMap((event) => (dialect.future ? strange(event) : [event]))
    .map((event) => withFinal(event, dialect));
}

/** The bytes of an event in this dialect, in the pieces in which they are written. */
export function bytesOf(events: readonly WireEvent[], dialect: Dialect): Buffer[] {
  let text = '';
  for (const event of events) {
    const { sequence_number, ...rest } = event;
    const shown = dialect.noSequenceNumbers ? (rest as WireEvent) : ({ ...rest, sequence_number } as WireEvent);
    text += (dialect.pings ? ': ping\n\n' : '') + (dialect.noEventNames ? frame(shown).replace(/^event: .*\n/, '') : frame(shown));
  }
  if (dialect.done) text += 'data: [DONE]\n\n';
  const bytes = Buffer.from(dialect.crlf ? text.replaceAll('\n', '\r\n') : text);
  if (!dialect.pieces) return [bytes];
  const size = dialect.pieces;
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size));
}
