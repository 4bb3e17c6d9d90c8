import { z } from 'zod';
import { Time, Turn } from './values.ts';
import { Item } from './items.ts';

export const TranscriptFormat = z.enum(['markdown', 'jsonl']);
export type TranscriptFormat = z.infer<typeof TranscriptFormat>;

/**
 * A line of a transcript as JSON: the head first, then each turn before its items, then what the model was sent. Secrets
 * are taken out; full outputs, files and reasoning that only its provider can read are no part of it.
 */
export const TranscriptLine = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('signalbox.transcript'),
    version: z.literal(1),
    title: z.string().max(400),
    prompt: z.string(),
    base: z.string(),
    model: z.string(),
    at: Time,
  }),
  z.object({ type: z.literal('turn'), turn: Turn }),
  z.object({ type: z.literal('item'), item: Item }),
  z.object({ type: z.literal('history'), turn: z.number().int().nullable(), item: z.looseObject({ type: z.string() }) }),
]);
export type TranscriptLine = z.infer<typeof TranscriptLine>;
