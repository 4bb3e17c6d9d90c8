import { z } from 'zod';

/** Something a person can name with `/` instead of writing it out. */
export const Shortcut = z.object({
  name: z.string(),
  kind: z.enum(['prompt', 'skill']),
  description: z.string(),
  /** What stands in the message instead of `/name`. */
  text: z.string(),
  /** Where it comes from, in words. */
  source: z.string(),
});
export type Shortcut = z.infer<typeof Shortcut>;

/** One part of what the model is sent. */
export const ContextPart = z.object({
  kind: z.enum([
    'instructions',
    'permissions',
    'skills',
    'project',
    'environment',
    'tools',
    'person',
    'agent',
    'reasoning',
    'calls',
    'outputs',
    'summary',
    'images',
  ]),
  title: z.string(),
  /** Estimated as four bytes each. */
  tokens: z.number().int(),
  /** How many messages or calls it is made of. */
  count: z.number().int(),
  /** Its beginning, at most 20,000 characters. */
  text: z.string(),
});
export type ContextPart = z.infer<typeof ContextPart>;
