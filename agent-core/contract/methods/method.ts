import { z } from 'zod';
import type { ErrorCode } from '../errors.ts';

export interface MethodSpec<I extends z.ZodType = z.ZodType, O extends z.ZodType = z.ZodType> {
  input: I;
  output: O;
  /** The expected failures, besides `invalid-input`, `not-found` and `internal`, which any method may answer. */
  errors: readonly ErrorCode[];
}
export const method = <I extends z.ZodType, O extends z.ZodType>(
  input: I,
  output: O,
  errors: readonly ErrorCode[] = [],
): MethodSpec<I, O> => ({
  input,
  output,
  errors,
});

/** Neither asked for nor answered. */
export const nothing = z.object({});

const PROMPT_LIMIT = 256 * 1024;
/** What a person types to an agent: not blank, at most 256 KiB. */
export const Prompt = z
  .string()
  .refine((text) => text.trim().length > 0, 'The task is empty. Say what should be done.')
  .refine(
    (text) => new TextEncoder().encode(text).length <= PROMPT_LIMIT,
    'The task is longer than 256 KiB. Put long material in a file of the repository and name the file.',
  );
