import { z } from 'zod';
import { ItemId } from './ids.ts';

/**
 * Words in an agent's message that say what backs them, or that something passes, and what the thread says about it.
 * `backed`: it ran, or it is there. `stale`: it passed, but files changed since it started. `contradicted`: it did not
 * pass. `missing`: nothing of the kind is in the thread or in the tree.
 */
export const EvidenceMark = z.object({
  /** Where the words stand in the message, in UTF-16 units. */
  at: z.number().int().min(0),
  length: z.number().int().min(1),
  kind: z.enum(['command', 'file', 'claim']),
  state: z.enum(['backed', 'stale', 'contradicted', 'missing']),
  /** The command that it is about. */
  itemId: ItemId.nullable(),
  /** The file, from the top of the worktree, and its lines. */
  path: z.string().nullable(),
  line: z.number().int().nullable(),
  endLine: z.number().int().nullable(),
  /** A short name for it: the command, or the file with its lines. */
  label: z.string(),
  /** What was found, in words. */
  words: z.string(),
});
export type EvidenceMark = z.infer<typeof EvidenceMark>;

/** The whole trees before and after a command that looked like a check, in the checkpoint store. */
export const CheckTrees = z.object({ before: z.string(), after: z.string().nullable() });
export type CheckTrees = z.infer<typeof CheckTrees>;
