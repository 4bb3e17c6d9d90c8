import { join } from 'node:path';
import { Failure, toAppError, type McpHealth, type McpServer } from '../contract/index.ts';
import type { Tool } from '../harness/tools/types.ts';
import type { MachineSpec, SandboxDriver } from '../sandbox/types.ts';
import type { McpConnection } from './connection.ts';
import type { Launched } from './launch.ts';
import type { Keep } from './oauth.ts';
import type { Offered } from './tools.ts';

/** The protocol's own code is loaded by the first server: a core without any starts without it. */
const protocol = () => import('./protocol.ts');

export interface McpOptions {
  /** SIGNALBOX_HOME. */
  home: string;
  driver(): SandboxDriver;
  /** The servers as they are now. */
  servers(): McpServer[];
  /** The key store: names are `mcp/<id>/<name>`. */
  secrets: { get(name: string): string; set(name: string, value: string): Promise<void> };
  /** Told how a server is whenever that changes. */
  onHealth(health: McpHealth): void;
}

interface Running {
  /** The settings that it was started with. */
  settings: string;
  started: Promise<{ connection: McpConnection; launched: Launched }>;
}

/** What a turn has of its servers. */
export interface TaskTools {
  tools: Tool[];
  /** Why some are missing, in words for the person. */
  missing: string[];
}

/** The servers of the Model Context Protocol: started by the first turn that may use them, one of each for each task. */
export class McpServers {
  readonly #options: McpOptions;
  /** By workspace. */
  readonly #tasks = new Map<string, Map<McpServer['id'], Running>>();
  readonly #health = new Map<McpServer['id'], McpHealth>();
  readonly #signing = new Map<McpServer['id'], () => void>();

  constructor(options: McpOptions) {
    this.#options = options;
  }

  get health(): McpHealth[] {
    return [...this.#health.values()];
  }

  /** Tools for one turn. A server that doesn't start is left out and tried again by the next turn. */
  async toolsFor(task: { projectId: string; spec: MachineSpec; signal: AbortSignal }): Promise<TaskTools> {
    const wanted = this.#options
      .servers()
      .filter((server) => server.enabled && (server.projectId === null || server.projectId === task.projectId));
    const running = this.#tasks.get(task.spec.id) ?? new Map<McpServer['id'], Running>();
    if (wanted.length) this.#tasks.set(task.spec.id, running);
    await Promise.all([...running].filter(([id]) => !wanted.some((server) => server.id === id)).map(([id]) => this.#stop(running, id)));
    const missing: string[] = [];
    const offered = await Promise.all(
      wanted.map(async (server): Promise<Offered[]> => {
        try {
          const { connection } = await this.#running(server, task, running);
          return [{ server, connection, tools: await connection.tools() }];
        } catch (error) {
          task.signal.throwIfAborted();
          missing.push(`The MCP server “${server.name}” is not there in this turn: ${toAppError(error).message}`);
          return [];
        }
      }),
    );
    if (!wanted.length) return { tools: [], missing };
    const { toolsOf } = await protocol();
    return { tools: toolsOf(offered.flat()), missing };
  }

  async #running(server: McpServer, task: { spec: MachineSpec; signal: AbortSignal }, running: Map<McpServer['id'], Running>) {
    const settings = JSON.stringify(server);
    const known = running.get(server.id);
    if (known?.settings === settings) return known.started;
    if (known) await this.#stop(running, server.id);
    const stateDir = join(this.#options.home, 'workspaces', task.spec.id, 'mcp', server.id);
    const started = this.#start(server, { task: task.spec, stateDir }, task.signal);
    const entry: Running = { settings, started };
    running.set(server.id, entry);
    const forget = (): void => {
      if (running.get(server.id) === entry) running.delete(server.id);
    };
    started.then(({ connection }) => void connection.closed.then(forget), forget);
    return started;
  }

  async #start(server: McpServer, place: { task: MachineSpec | null; stateDir: string }, signal?: AbortSignal) {
    const since = performance.now();
    const base: McpHealth = { serverId: server.id, state: 'starting', title: server.name, tools: [], ms: 0, error: null };
    this.#tell(base);
    const { launch, McpConnection, readsOnly, failureOf, wantsSignIn } = await protocol();
    let launched: Launched | null = null;
    try {
      launched = await launch(server, {
        ...place,
        driver: this.#options.driver(),
        secrets: this.#secretsOf(server),
        provider: await this.#account(server),
      });
      const connection = await McpConnection.open(server, launched.transport, signal);
      const { end } = launched;
      void connection.closed.then(() => end().catch(() => {}));
      const tools = (await connection.tools()).map((tool) => ({
        name: tool.name,
        description: (tool.description ?? '').slice(0, 2000),
        readOnly: readsOnly(tool),
      }));
      const ms = Math.round(performance.now() - since);
      this.#tell({ ...base, state: 'ready', title: connection.title, tools, ms });
      return { connection, launched };
    } catch (error) {
      const output = launched?.chatter() ?? '';
      await launched?.end().catch(() => {});
      const failure = failureOf(server, error, output);
      this.#tell({
        ...base,
        state: wantsSignIn(error) ? 'sign-in' : 'failed',
        ms: Math.round(performance.now() - since),
        error: failure.detail,
      });
      throw failure;
    }
  }

  /** Tools of a workspace's servers that run now. */
  async running(workspaceId: string): Promise<Tool[]> {
    const all = [...(this.#tasks.get(workspaceId) ?? [])].map(async ([id, { started }]): Promise<Offered[]> => {
      const server = this.#options.servers().find((one) => one.id === id);
      const up = await started.catch(() => null);
      return server && up ? [{ server, connection: up.connection, tools: await up.connection.tools() }] : [];
    });
    if (!all.length) return [];
    const { toolsOf } = await protocol();
    return toolsOf((await Promise.all(all)).flat());
  }

  /** Starts a server once, apart from any task, and ends it again. */
  async test(server: McpServer): Promise<McpHealth> {
    try {
      const { connection } = await this.#start(server, { task: null, stateDir: join(this.#options.home, 'mcp', server.id) });
      await connection.close();
    } catch {
      // Told by its health.
    }
    return this.#health.get(server.id)!;
  }

  /** The page at which the person signs in. */
  async signIn(server: McpServer): Promise<string> {
    if (server.transport.kind !== 'http')
      throw new Failure('conflict', `The server “${server.name}” runs on this computer: there is nothing to sign in to.`);
    this.#signing.get(server.id)?.();
    const { signIn } = await protocol();
    const { url, cancel } = await signIn({ name: server.name, url: server.transport.url }, this.#keep(server), () => {
      this.#signing.delete(server.id);
      void this.test(server);
    });
    this.#signing.set(server.id, cancel);
    return url;
  }

  async signOut(server: McpServer): Promise<void> {
    await this.#keep(server).set('');
    this.#health.delete(server.id);
    await this.restart(server.id);
  }

  /** Keeps the values of a server's secrets, and forgets those that it has no more. */
  async keep(server: McpServer, before: McpServer | undefined, values: Record<string, string>): Promise<void> {
    const gone = (before?.secrets ?? []).filter((name) => !server.secrets.includes(name));
    for (const name of gone) await this.#options.secrets.set(`mcp/${server.id}/${name}`, '');
    for (const name of server.secrets)
      if (values[name] !== undefined) await this.#options.secrets.set(`mcp/${server.id}/${name}`, values[name]);
  }

  async forget(server: McpServer): Promise<void> {
    await this.keep({ ...server, secrets: [] }, server, {});
    await this.signOut(server);
  }

  /** Ends a server wherever it runs; the next turn starts it anew. */
  async restart(id: McpServer['id']): Promise<void> {
    await Promise.all([...this.#tasks.values()].map((running) => this.#stop(running, id)));
  }

  /** Ends all servers of a workspace. */
  async close(workspaceId: string): Promise<void> {
    const running = this.#tasks.get(workspaceId);
    this.#tasks.delete(workspaceId);
    if (running) await Promise.all([...running.keys()].map((id) => this.#stop(running, id)));
  }

  async #stop(running: Map<McpServer['id'], Running>, id: McpServer['id']): Promise<void> {
    const entry = running.get(id);
    running.delete(id);
    await entry?.started.then(
      async ({ connection, launched }) => {
        await connection.close().catch(() => {});
        await launched.end();
      },
      () => {},
    );
  }

  async dispose(): Promise<void> {
    for (const cancel of this.#signing.values()) cancel();
    await Promise.all([...this.#tasks.keys()].map((id) => this.close(id)));
  }

  #tell(health: McpHealth): void {
    this.#health.set(health.serverId, health);
    this.#options.onHealth(health);
  }

  #secretsOf(server: McpServer): Record<string, string> {
    return Object.fromEntries(
      server.secrets.map((name) => [name, this.#options.secrets.get(`mcp/${server.id}/${name}`)]).filter(([, value]) => value !== ''),
    ) as Record<string, string>;
  }

  #keep(server: McpServer): Keep {
    const name = `mcp/${server.id}/oauth`;
    return { get: () => this.#options.secrets.get(name), set: (text) => this.#options.secrets.set(name, text) };
  }

  /** A server that a person gave a key is asked with it alone. */
  async #account(server: McpServer) {
    if (server.transport.kind !== 'http' || server.secrets.length) return null;
    const { Account } = await protocol();
    return new Account(this.#keep(server));
  }
}
