import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { McpServer, type McpHealth, type McpServerId, type McpTransport } from '../../agent-core/contract/index.ts';
import { McpServers } from '../../agent-core/mcp/index.ts';
import { createSandbox } from '../../agent-core/sandbox/index.ts';
import type { Machine } from '../../agent-core/sandbox/types.ts';
import { newId } from '../../agent-core/support/ids.ts';
import { defaultPolicy } from '../../agent-core/workspace/index.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const modules = join(root, 'node_modules');
export const fixtures = join(root, 'test', 'mcp', 'servers');

/** A public server from npm, as it is installed here. */
export const published = (name: string, ...args: string[]): Stdio => ({
  kind: 'stdio',
  command: 'node',
  args: [join(modules, '@modelcontextprotocol', name, 'dist', 'index.js'), ...args],
  env: {},
  hosts: [],
  read: [modules],
  worktree: 'none',
});
/** A server of our own that misbehaves in one way. */
export const odd = (file: string, ...args: string[]): Stdio => ({
  kind: 'stdio',
  command: 'node',
  args: [join(fixtures, file), ...args],
  env: {},
  hosts: [],
  read: [fixtures],
  worktree: 'none',
});
type Stdio = Extract<McpTransport, { kind: 'stdio' }>;

export const aServer = (name: string, transport: McpTransport, more: Partial<McpServer> = {}): McpServer =>
  McpServer.parse({ id: newId<McpServerId>('mcp'), name, projectId: null, enabled: true, transport, secrets: [], tools: {}, ...more });

/** Servers around one task's machine, all gone after the test. */
export async function world(servers: McpServer[]) {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'signalbox mcp-')));
  const worktree = join(base, 'worktree');
  mkdirSync(worktree);
  writeFileSync(join(worktree, 'a.txt'), 'one\n');
  const sandbox = createSandbox({ stateDir: join(base, 'sandbox'), env: process.env });
  const policy = defaultPolicy('workspace');
  const machine: Machine = await sandbox
    .driver(policy)
    .open({ id: 'ws_test', stateDir: join(base, 'state'), worktree, binds: [], policy, env: {} });
  const kept = new Map<string, string>();
  const told: McpHealth[] = [];
  const mcp = new McpServers({
    home: base,
    driver: () => sandbox.driver(policy),
    servers: () => servers,
    secrets: {
      get: (name) => kept.get(name) ?? '',
      set: async (name, value) => void (value ? kept.set(name, value) : kept.delete(name)),
    },
    onHealth: (health) => told.push(health),
  });
  onTestFinished(async () => {
    await mcp.dispose();
    await machine.dispose();
    rmSync(base, { recursive: true, force: true });
  });
  const toolsFor = (signal = new AbortController().signal) => mcp.toolsFor({ projectId: 'proj_x', spec: machine.spec, signal });
  return { base, worktree, machine, mcp, kept, told, toolsFor, servers };
}
