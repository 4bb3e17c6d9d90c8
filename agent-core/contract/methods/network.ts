import { z } from 'zod';
import { Connection, Credential, Grants, WorkspacePort } from '../grants.ts';
import { ProjectId, TaskId } from '../ids.ts';
import { method, nothing, type MethodSpec } from './method.ts';

const change = {
  /** Each is checked: a pattern that would open everything, or is none, is refused, and nothing has changed then. */
  add: Grants.partial().default({}),
  remove: Grants.partial().default({}),
};

/** What goes out of a sandbox, and what comes in. */
export const networkMethods = {
  /** What each task of a project may reach, from its next connection on. Answers with all that is granted then. */
  'project/grant': method(z.object({ projectId: ProjectId, ...change }), Grants),
  'task/grant': method(z.object({ taskId: TaskId, ...change }), Grants),
  /**
   * Keeps a secret for a host of a project, in the place of one that was kept for the same host and header, and allows the
   * host. Its tasks' requests carry it from the next command on.
   */
  'credential/save': method(
    z.object({
      projectId: ProjectId,
      host: z.string().max(300),
      kind: Credential.shape.kind,
      header: z.string().max(100).default('Authorization'),
      user: z.string().max(300).default(''),
      secret: z.string().min(1).max(16_384),
    }),
    Credential,
  ),
  'credential/remove': method(z.object({ projectId: ProjectId, id: z.string() }), nothing),
  /** Where secrets are kept: by the system's key store, or in a file that only its owner can read. */
  'credential/store': method(nothing, z.object({ kept: z.enum(['system', 'file']), path: z.string().nullable() })),
  /** A task's connections, newest first; `before` pages back from an entry's number. Old ones are dropped. */
  'network/log': method(
    z.object({ taskId: TaskId, before: z.number().int().optional(), limit: z.number().int().min(1).max(500).default(100) }),
    z.object({ entries: z.array(Connection), more: z.boolean() }),
  ),
  /** What the workspace listens on now. Nothing where it doesn't run, or runs with full access. */
  'port/list': method(z.object({ taskId: TaskId }), z.object({ ports: z.array(WorkspacePort) })),
  /** Leads a port of the person's own loopback there until it is closed or the workspace ends: the same number where it is free. */
  'port/open': method(z.object({ taskId: TaskId, port: z.number().int().min(1).max(65_535) }), z.object({ port: z.number().int() }), [
    'conflict',
  ]),
  'port/close': method(z.object({ taskId: TaskId, port: z.number().int() }), nothing),
} as const satisfies Record<string, MethodSpec>;
