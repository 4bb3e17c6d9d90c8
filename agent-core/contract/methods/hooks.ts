import { z } from 'zod';
import { HookFile } from '../hooks.ts';
import { ProjectId } from '../ids.ts';
import { method, nothing, type MethodSpec } from './method.ts';

/** Commands that run before and after what an agent does. */
export const hookMethods = {
  /** The person's own hooks, and those that a project's newest commit brings; null where there is no file. */
  'hooks/read': method(
    z.object({ projectId: ProjectId.optional() }),
    z.object({ user: HookFile.nullable(), userPath: z.string(), project: HookFile.nullable() }),
    ['git-failed'],
  ),
  /** From the next turn on, this very content of a project's hooks runs in its tasks' sandboxes; null for none. */
  'hooks/trust': method(
    z.object({
      projectId: ProjectId,
      hash: z
        .string()
        .regex(/^[0-9a-f]{64}$/)
        .nullable(),
    }),
    nothing,
  ),
} as const satisfies Record<string, MethodSpec>;
