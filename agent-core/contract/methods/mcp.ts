import { z } from 'zod';
import { McpServerId } from '../ids.ts';
import { McpHealth, McpServer } from '../mcp.ts';
import { method, nothing, type MethodSpec } from './method.ts';

/** Servers of the Model Context Protocol. */
export const mcpMethods = {
  /** Adds a server, or changes the one with this id. `values` are secrets by name: '' forgets one; never sent back. */
  'mcp/save': method(
    z.object({
      server: McpServer.extend({ id: McpServerId.optional() }),
      values: z.record(z.string(), z.string().max(20_000)).default({}),
    }),
    McpServer,
    ['conflict'],
  ),
  'mcp/remove': method(z.object({ serverId: McpServerId }), nothing),
  /** Starts it once, apart from any task, and tells what it offers. */
  'mcp/test': method(z.object({ serverId: McpServerId }), McpHealth),
  /** What is known of the servers that were started since the core began. */
  'mcp/health': method(nothing, z.object({ servers: z.array(McpHealth) })),
  /** The address at which the person signs in with the server's own account (OAuth); it comes back to this computer. */
  'mcp/signin': method(z.object({ serverId: McpServerId }), z.object({ url: z.string() }), ['conflict']),
  'mcp/signout': method(z.object({ serverId: McpServerId }), nothing),
} as const satisfies Record<string, MethodSpec>;
