import { z } from 'zod';
import { ProjectId, TaskId, ThreadId } from '../ids.ts';
import { ContextPart, Shortcut } from '../context.ts';
import { method, type MethodSpec } from './method.ts';

/** Where something is looked for: in a task's newest tree, else in a project's newest commit. */
const where = { projectId: ProjectId, taskId: TaskId.optional() };

/** What helps to write a message, and what the model sees of a conversation. */
export const contextMethods = {
  /** Files whose path fits the letters of `query`, best first; an empty query gives the first ones. */
  'file/find': method(
    z.object({ ...where, query: z.string().max(200), limit: z.number().int().min(1).max(50).default(20) }),
    z.object({ paths: z.array(z.string()) }),
    ['git-failed'],
  ),
  /** Keeps a pasted or dropped file; `path` is how a message names it, and where commands of that task see it. */
  'attachment/add': method(
    z.object({ name: z.string().max(300), data: z.base64().max(28 * 1024 * 1024) }),
    z.object({ path: z.string() }),
    ['disk-full'],
  ),
  'attachment/read': method(z.object({ path: z.string().max(300) }), z.object({ data: z.string() })),
  /** Skills and saved prompts that can be named with `/`. */
  'shortcut/list': method(z.object(where), z.object({ shortcuts: z.array(Shortcut), problems: z.array(z.string()) }), ['git-failed']),
  /** What the next request of a thread would hold, part by part, with an estimate of each part's tokens. */
  'thread/context': method(
    z.object({ threadId: ThreadId }),
    z.object({
      parts: z.array(ContextPart),
      /** Tokens of the model's window. */
      window: z.number().int(),
    }),
  ),
} as const satisfies Record<string, MethodSpec>;
