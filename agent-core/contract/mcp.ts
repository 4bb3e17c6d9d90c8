import { z } from 'zod';
import { AppError } from './errors.ts';
import { McpServerId, ProjectId } from './ids.ts';

/** A name for a server's variable or header whose value is in the key store. */
const SecretName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_-]{0,63}$/, 'A name of letters, digits, - and _.');
const Seconds = z.number().int().min(1).max(3600);

/** What may be done with a tool without asking. `auto`: call it where its server says that it only reads, else ask. */
export const McpToolChoice = z.enum(['auto', 'allow', 'ask', 'off']);
export type McpToolChoice = z.infer<typeof McpToolChoice>;

export const McpTransport = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('stdio'),
    /** Run as these very words in a sandbox of its own, without a shell. */
    command: z.string().trim().min(1, 'Name the program that is the server.').max(1000),
    args: z.array(z.string().max(4000)).max(100),
    env: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'A variable has a name of letters, digits and _.'), z.string().max(10_000)),
    /** Hosts it may reach, as in a project's grants; none where empty. */
    hosts: z.array(z.string()).max(100),
    /** Folders of the host that it sees, read-only. */
    read: z.array(z.string().startsWith('/', 'A folder is named by its absolute path.')).max(20),
    /** Whether it sees the task's worktree. */
    worktree: z.enum(['none', 'read', 'write']),
  }),
  z.object({
    kind: z.literal('http'),
    url: z.string().refine(safeUrl, 'An address begins with https://, or with http:// on this computer.'),
    headers: z.record(z.string().regex(/^[A-Za-z0-9-]+$/, 'A header has a name of letters, digits and -.'), z.string().max(10_000)),
  }),
]);
export type McpTransport = z.infer<typeof McpTransport>;

function safeUrl(text: string): boolean {
  try {
    const url = new URL(text);
    return url.protocol === 'https:' || (url.protocol === 'http:' && /^(localhost|127\.0\.0\.1|\[::1\])$/.test(url.hostname));
  } catch {
    return false;
  }
}

/** A server of the Model Context Protocol that a person added: for every task on this computer, or for those of a project. */
export const McpServer = z.object({
  id: McpServerId,
  /** Its tools are `mcp__<name>__<tool>`. */
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/, 'A name of at most 32 letters, digits, - and _.'),
  projectId: ProjectId.nullable(),
  enabled: z.boolean(),
  transport: McpTransport,
  /** Variables (stdio) or headers (http) whose values are in the key store. */
  secrets: z.array(SecretName).max(20),
  /** How long it may take to start, and to answer one call. */
  startSeconds: Seconds.default(30),
  callSeconds: Seconds.default(300),
  /** By tool; `auto` where absent. */
  tools: z.record(z.string(), McpToolChoice),
});
export type McpServer = z.infer<typeof McpServer>;

export const McpTool = z.object({ name: z.string(), description: z.string(), readOnly: z.boolean() });
export type McpTool = z.infer<typeof McpTool>;

/** How a server was when it was last started. Not history: kept in memory. */
export const McpHealth = z.object({
  serverId: McpServerId,
  state: z.enum(['starting', 'ready', 'failed', 'sign-in']),
  /** What it calls itself, with its version. */
  title: z.string(),
  tools: z.array(McpTool),
  ms: z.number(),
  error: AppError.nullable(),
});
export type McpHealth = z.infer<typeof McpHealth>;
