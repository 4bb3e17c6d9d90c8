import { Failure, ModelWire } from '../contract/index.ts';

/** What SIGNALBOX_WIRE asks for. Throws `invalid-input` for a word that names no API. */
export function wireIn(env: Record<string, string | undefined>): ModelWire | undefined {
  const word = env['SIGNALBOX_WIRE'];
  if (!word) return undefined;
  const parsed = ModelWire.safeParse(word);
  if (!parsed.success) throw new Failure('invalid-input', `SIGNALBOX_WIRE is “${word}”.`, { fix: 'It may be “responses” or “chat”.' });
  return parsed.data;
}
