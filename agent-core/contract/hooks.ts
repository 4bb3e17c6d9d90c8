import { z } from 'zod';

/**
 * When a hook runs: before the agent hears what a person said, before and after a call of a tool, when the agent is about
 * to end its turn, and when it waits for a person. The field's names.
 */
export const HookEvent = z.enum(['UserPromptSubmit', 'PreToolUse', 'PostToolUse', 'Stop', 'Notification']);
export type HookEvent = z.infer<typeof HookEvent>;

/** A command that runs at one of these moments: JSON on its stdin, JSON or an exit code for an answer. */
export const Hook = z.object({
  event: HookEvent,
  /** A regular expression that the whole name of the tool must match; '' for every tool. */
  matcher: z.string(),
  /** Shell text. */
  command: z.string(),
  timeoutSeconds: z.number(),
});
export type Hook = z.infer<typeof Hook>;

/** Where a project keeps its hooks, in its newest commit. */
export const HOOKS_FILE = '.signalbox/hooks.json';

export const HookFile = z.object({
  path: z.string(),
  hooks: z.array(Hook),
  /** Why the file, or a part of it, can't be used; null where all of it can. */
  problem: z.string().nullable(),
  /** SHA-256 of the file: what a person trusts is this very content. */
  hash: z.string(),
});
export type HookFile = z.infer<typeof HookFile>;
