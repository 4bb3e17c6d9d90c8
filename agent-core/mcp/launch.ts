import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { OAuthClientProvider } from '@modelcontextprotocol/sdk/client/auth.js';
import { Failure, type McpServer } from '../contract/index.ts';
import type { Bind, Machine, MachineSpec, SandboxDriver } from '../sandbox/types.ts';
import { defaultPolicy } from '../workspace/index.ts';
import { fetchFor } from './oauth.ts';
import { SandboxTransport } from './transport.ts';

export interface LaunchPlace {
  /** What confines. A server runs in a sandbox of its own even where its task has full access. */
  driver: SandboxDriver;
  /** The task's machine, whose worktree it may see; null for a trial apart from any task. */
  task: MachineSpec | null;
  /** A folder of its own on the host. */
  stateDir: string;
  /** Values of its secrets by name. */
  secrets: Record<string, string>;
  provider: OAuthClientProvider | null;
}

export interface Launched {
  transport: Transport;
  /** What it printed besides messages. */
  chatter(): string;
  /** Ends all that runs for it. */
  end(): Promise<void>;
}

/**
 * Starts a server, or makes ready to speak to one elsewhere. A program runs in a machine of its own: its own HOME, no
 * network but its hosts, and nothing of it, its variables above all, can be seen by the task's commands.
 * Throws `cannot-confine`, and `invalid-input` for a folder that is not there; then nothing runs.
 */
export async function launch(server: McpServer, place: LaunchPlace): Promise<Launched> {
  return server.transport.kind === 'http' ? overHttp(server.transport, place) : inMachine(server.transport, server, place);
}

type Kind<K extends McpServer['transport']['kind']> = Extract<McpServer['transport'], { kind: K }>;

function overHttp({ url, headers }: Kind<'http'>, { secrets, provider }: LaunchPlace): Launched {
  const transport = new StreamableHTTPClientTransport(new URL(url), {
    fetch: fetchFor(url),
    requestInit: { headers: { ...headers, ...secrets } },
    ...(provider ? { authProvider: provider } : {}),
  });
  return {
    transport: transport as Transport,
    chatter: () => '',
    end: async () => {
      await transport.terminateSession().catch(() => {});
      await transport.close();
    },
  };
}

async function inMachine(how: Kind<'stdio'>, server: McpServer, place: LaunchPlace): Promise<Launched> {
  const machine = await place.driver.open(await specOf(how, server, place));
  try {
    const running = await machine.run({ argv: [how.command, ...how.args] });
    const transport = new SandboxTransport(running);
    return {
      transport,
      chatter: () => transport.chatter,
      end: () => machine.dispose(),
    };
  } catch (error) {
    await (machine as Machine).dispose();
    throw error;
  }
}

async function specOf(how: Kind<'stdio'>, server: McpServer, { task, stateDir, secrets }: LaunchPlace): Promise<MachineSpec> {
  const empty = join(stateDir, 'empty');
  await mkdir(empty, { recursive: true, mode: 0o700 });
  const shown = task !== null && how.worktree !== 'none' ? task : null;
  const read = how.read.map((folder): Bind => {
    if (folder === '/' || folder === '/proc' || folder.startsWith('/proc/'))
      throw new Failure('invalid-input', `The server “${server.name}” can't be shown ${folder}.`, {
        fix: 'Name the folder that it needs.',
      });
    return { source: folder, target: folder, access: 'read' };
  });
  const mode = how.worktree === 'write' && task?.policy.mode !== 'read-only' ? 'workspace' : 'read-only';
  return {
    id: `mcp-${server.id}-${task?.id ?? 'trial'}`,
    stateDir,
    worktree: shown?.worktree ?? empty,
    binds: [...(shown?.binds ?? []), ...read],
    policy: { ...defaultPolicy(mode), network: { allow: how.hosts } },
    env: { ...how.env, ...secrets },
  };
}
