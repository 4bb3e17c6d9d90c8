import { visible } from '../../ui/safe-text.ts';

/** A run of text and how it was coloured: one of the eight names, never a colour out of the output itself. */
export interface Span {
  text: string;
  tone: Tone | null;
  strong: boolean;
}
export type Tone = 'bad' | 'ok' | 'warn' | 'accent' | 'waiting' | 'faint' | 'text';

const tones: Record<number, Tone> = { 0: 'faint', 1: 'bad', 2: 'ok', 3: 'warn', 4: 'accent', 5: 'waiting', 6: 'accent', 7: 'text' };
// CSI … final, OSC … (BEL or ST), two-byte escapes, and a sequence that the end cut off.
// eslint-disable-next-line no-control-regex
const sequence =
  /\u001b\[([0-9;:?<=>!]*)[ -/]*([@-~])|\u001b[\]PX^_][^\u0007\u001b]*(?:\u0007|\u001b\\|$)|\u001b[ -/]*[0-OQ-WYZ\\`a-~]|\u001b(?:\[[0-9;:?]*)?$/g;

function toneAfter(parameters: string, tone: Tone | null, strong: boolean): { tone: Tone | null; strong: boolean } {
  const codes = parameters === '' ? [0] : parameters.split(/[;:]/).map(Number);
  for (let index = 0; index < codes.length; index++) {
    const code = codes[index] ?? 0;
    if (code === 0) {
      tone = null;
      strong = false;
    } else if (code === 1) strong = true;
    else if (code === 2) tone = 'faint';
    else if (code === 22) {
      strong = false;
      if (tone === 'faint') tone = null;
    } else if (code === 39) tone = null;
    else if (code >= 30 && code <= 37) tone = tones[code - 30] ?? null;
    else if (code >= 90 && code <= 97) tone = tones[code - 90] ?? null;
    else if (code === 38 || code === 48) index += codes[index + 1] === 5 ? 2 : 4;
  }
  return { tone, strong };
}

/** What a carriage return left standing: a progress line shows its last state only. */
function lastState(line: string): string {
  const at = line.replace(/\r+$/, '').lastIndexOf('\r');
  return at < 0 ? line : line.slice(at + 1);
}

/**
 * Output of a command as coloured runs. Colours become our tones; titles, cursor moves, clipboard writes, links and
 * every other sequence are dropped; other control characters are made visible.
 */
export function ansiSpans(output: string): Span[] {
  const spans: Span[] = [];
  let state: { tone: Tone | null; strong: boolean } = { tone: null, strong: false };
  const push = (text: string): void => {
    if (text === '') return;
    const last = spans.at(-1);
    if (last && last.tone === state.tone && last.strong === state.strong) last.text += text;
    else spans.push({ text, ...state });
  };
  const source = output.includes('\r') ? output.split('\n').map(lastState).join('\n') : output;
  let from = 0;
  for (const match of source.matchAll(sequence)) {
    push(visible(source.slice(from, match.index)));
    if (match[2] === 'm') state = toneAfter(match[1] ?? '', state.tone, state.strong);
    from = match.index + match[0].length;
  }
  push(visible(source.slice(from)));
  return spans;
}

/** The same without colours. */
export const plainOutput = (output: string): string =>
  ansiSpans(output)
    .map((span) => span.text)
    .join('');
