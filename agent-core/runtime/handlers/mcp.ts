import { Failure, type Handlers, type McpServer, type McpServerId } from '../../contract/index.ts';
import { parsePattern } from '../../sandbox/egress/index.ts';
import { newId } from '../../support/ids.ts';
import type { Client } from '../api.ts';
import type { Context } from '../context.ts';

type Part = Pick<Handlers<Client>, 'mcp/save' | 'mcp/remove' | 'mcp/test' | 'mcp/health' | 'mcp/signin' | 'mcp/signout'>;

export function mcpHandlers(context: Context): Part {
  const { store, mcp } = context;
  const one = (id: McpServerId): McpServer => {
    const server = store.board.mcpServers[id];
    if (!server) throw new Failure('not-found', 'This MCP server does not exist any more.');
    return server;
  };
  return {
    'mcp/save': async ({ server: given, values }) => {
      const before = given.id === undefined ? undefined : one(given.id);
      const server: McpServer = { ...given, id: given.id ?? newId<McpServerId>('mcp') };
      if (server.projectId !== null && !store.board.projects[server.projectId]) throw new Failure('not-found', 'This project is not open.');
      // Two that a task could see at once would offer tools of the same name.
      const twin = Object.values(store.board.mcpServers).find(
        (other) =>
          other.id !== server.id &&
          other.name === server.name &&
          (other.projectId === null || server.projectId === null || other.projectId === server.projectId),
      );
      if (twin) throw new Failure('conflict', `There is an MCP server “${server.name}” already.`, { fix: 'Give this one another name.' });
      if (server.transport.kind === 'stdio') server.transport.hosts.forEach(parsePattern);
      await mcp.keep(server, before, values);
      await store.commit({ events: [{ type: 'mcp.saved', server }] });
      // Another secret is no other setting: what runs is started anew all the same.
      await mcp.restart(server.id);
      return server;
    },
    'mcp/remove': async ({ serverId }) => {
      const server = one(serverId);
      await store.commit({ events: [{ type: 'mcp.removed', serverId }] });
      await mcp.forget(server);
      return {};
    },
    'mcp/test': ({ serverId }) => mcp.test(one(serverId)),
    'mcp/health': async () => ({ servers: mcp.health }),
    'mcp/signin': async ({ serverId }) => ({ url: await mcp.signIn(one(serverId)) }),
    'mcp/signout': async ({ serverId }) => {
      await mcp.signOut(one(serverId));
      return {};
    },
  };
}
