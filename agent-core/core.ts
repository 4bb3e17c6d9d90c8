import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Activity, SandboxStatus, StoredEvent, TaskId, Transient } from './contract/index.ts';
import { writeBundledSkills } from './harness/context/bundled.ts';
import { McpServers } from './mcp/index.ts';
import { startDemoModel } from './demo/index.ts';
import { Actions } from './runtime/actions.ts';
import type { Client, Core, CoreOptions } from './runtime/api.ts';
import type { Context } from './runtime/context.ts';
import { Control } from './runtime/control.ts';
import { Denials } from './runtime/denials.ts';
import { Ending } from './runtime/ending.ts';
import { Gates } from './runtime/gates.ts';
import { findingHandlers } from './runtime/handlers/findings.ts';
import { planHandlers } from './runtime/handlers/plan.ts';
import { controlHandlers } from './runtime/handlers/control.ts';
import { modelHandlers } from './runtime/handlers/models.ts';
import { gateHandlers } from './runtime/handlers/gates.ts';
import { allowedFiles, handleFiles, recordAside } from './runtime/gates-files.ts';
import { networkHandlers } from './runtime/handlers/network.ts';
import { contextHandlers } from './runtime/handlers/context.ts';
import { hookHandlers } from './runtime/handlers/hooks.ts';
import { mcpHandlers } from './runtime/handlers/mcp.ts';
import { openOutside, watchTerminals } from './runtime/gates-terminal.ts';
import { projectHandlers } from './runtime/handlers/projects.ts';
import { recipeHandlers } from './runtime/handlers/recipe.ts';
import { reviewHandlers } from './runtime/handlers/review.ts';
import { runSelfTest, snapshotOf, systemHandlers } from './runtime/handlers/system.ts';
import { openWorkspace, taskHandlers } from './runtime/handlers/tasks.ts';
import { usageHandlers } from './runtime/handlers/usage.ts';
import { threadHandlers } from './runtime/handlers/threads.ts';
import { Housekeeping } from './runtime/housekeeping.ts';
import { HookRooms } from './runtime/hooks.ts';
import { KeyRing } from './runtime/key-ring.ts';
import { searchHandlers } from './runtime/handlers/search.ts';
import { transcriptHandlers } from './runtime/handlers/transcripts.ts';
import { fileKeys } from './runtime/keys.ts';
import { Networks } from './runtime/network.ts';
import { OutputLog } from './runtime/output-log.ts';
import { Registries } from './runtime/registries.ts';
import { Rest } from './runtime/rest.ts';
import { recover } from './runtime/recovery.ts';
import { defaultSettings, Models } from './runtime/settings.ts';
import { Reviews } from './runtime/reviews.ts';
import { Supervisor } from './runtime/supervisor.ts';
import { createSandbox, personHome } from './sandbox/index.ts';
import { Store } from './storage/store.ts';
import { Emitter } from './support/emitter.ts';
import { Terminals } from './terminal/terminals.ts';
import { defaultPolicy, Workspaces } from './workspace/index.ts';

export type { Core, CoreApi, CoreOptions, Client, KeyStore } from './runtime/api.ts';
/** What a host outside this folder (Electron's core process) needs to be or reach the one core of a home. */
export { obtainCore, type Obtained } from './hosts/attach.ts';
export { portChannel } from './hosts/channels.ts';
export { resolveHome } from './hosts/home.ts';
export { serveClient } from './hosts/session.ts';

/** The self-test waits until the first window has its board. */
const SELF_TEST_AFTER_MS = 50;

const unchecked: SandboxStatus = { state: 'checking', driver: '', probes: [], ms: 0 };

/** One demo model for the whole core, started when it is first needed. */
function demoModel(): { endpoint(): Promise<{ baseUrl: string; key: string }>; close(): Promise<void> } {
  let started: ReturnType<typeof startDemoModel> | null = null;
  return {
    endpoint: async () => {
      const { url, key } = await (started ??= startDemoModel());
      return { baseUrl: url, key };
    },
    close: async () => {
      await (await started)?.close();
    },
  };
}

async function makeContext(options: CoreOptions, demo: ReturnType<typeof demoModel>): Promise<Context> {
  const log = (message: string, error?: unknown): void => {
    console.error(
      `signalbox: ${message}${error === undefined ? '' : `: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`}`,
    );
  };
  await mkdir(options.home, { recursive: true, mode: 0o700 });
  const store = new Store(join(options.home, 'signalbox.db'), defaultSettings());
  for (const line of store.spoilt) log(`a spoilt record was set aside: ${line}`);
  const network = new Networks({ home: options.home, store, log });
  const sandbox = createSandbox({
    stateDir: join(options.home, 'sandbox'),
    env: options.env,
    network: { ...options.network, ...network.watching },
  });
  const events = new Emitter<readonly StoredEvent[]>();
  store.onEvents((batch) => events.emit(batch));
  const denials = new Denials(store, Date.now);
  const gates = new Gates(store);
  const secrets = new KeyRing(options.keys ?? fileKeys(options.home));
  const transients = new Emitter<Transient>();
  const mcp = new McpServers({
    home: options.home,
    driver: () => sandbox.driver(defaultPolicy('workspace')),
    servers: () => Object.values(store.board.mcpServers),
    secrets,
    onHealth: (health) => transients.emit({ type: 'mcp', health }),
  });
  const own = personHome(options.env);
  const workspaces = new Workspaces({
    home: options.home,
    ...(own === null ? {} : { personHome: own }),
    sandbox,
    network: (id) => network.of(id),
    worktreeRoot: () => store.board.settings.worktreeRoot ?? join(options.home, 'worktrees'),
    onAside: (id, aside) => recordAside(store, denials, id, aside),
    allowedFiles: (id) => allowedFiles(store, id),
    onClose: (id) => mcp.close(id),
  });
  const context: Context = {
    options,
    store,
    sandbox,
    network,
    events,
    log,
    workspaces,
    rest: new Rest({ store, workspaces, log }),
    gates,
    registries: new Registries(store, gates, Date.now),
    denials,
    models: new Models({ store, env: options.env, keys: secrets, demo: demo.endpoint }),
    secrets,
    mcp,
    hooks: new HookRooms({ options, sandbox }),
    outputs: new OutputLog(options.home),
    transients,
    activity: new Map<TaskId, Activity>(),
    endpoints: new Map(),
    sandboxStatus: unchecked,
    closing: new AbortController(),
    now: Date.now,
  };
  network.begin(context);
  return context;
}

/** What an app that was just opened shows first: the folder it was opened on, or in a fresh home the sample repository. */
function welcome(context: Context): void {
  const { host, openOn } = context.options;
  if (host !== 'serve' && host !== 'electron') return;
  const projects = projectHandlers(context);
  const none = Object.keys(context.store.board.projects).length === 0;
  const first = openOn ? projects['project/open']({ path: openOn }, nobody) : none ? projects['project/sample']({}, nobody) : null;
  first?.catch((error: unknown) => context.log(openOn ? `opening ${openOn}` : 'making the sample repository', error));
}

/** The core itself, where a handler asks for its caller. */
const nobody: Client = { id: 'core', threads: new Set(), send: () => {}, onClose: () => {} };

/**
 * The core: storage, runtime and the rooms below them, put together. Recovers what the last core left behind,
 * then answers. Throws a `Failure` when the home can't be used.
 */
export async function createCore(options: CoreOptions): Promise<Core> {
  const demo = demoModel();
  const context = await makeContext(options, demo);
  handleFiles(context);
  const supervisor = new Supervisor(context);
  const terminals = new Terminals({
    open: async (taskId) => {
      const open = await openWorkspace(context, taskId);
      return { machine: open.machine, cwd: open.cwd, title: context.store.board.tasks[taskId]?.title ?? 'Terminal' };
    },
    openOutside: (taskId) => openOutside(context, taskId),
    active: watchTerminals(context),
  });
  context.rest.hasTerminal = (taskId) => terminals.list(taskId).some(({ running }) => running) || context.network.hasOpenPort(taskId);
  const reviews = new Reviews(context, supervisor);
  supervisor.alsoStops = (taskId) => reviews.stopTask(taskId);
  const actions = new Actions(context, terminals);
  await actions.recover();
  const ending = new Ending(context, supervisor, terminals);
  const control = new Control(context, supervisor, ending);
  await context.models.load();
  await recover(context, ending, control);
  await reviews.begin();
  const selfTest = setTimeout(
    () => void runSelfTest(context).catch((error: unknown) => context.log('self-test', error)),
    SELF_TEST_AFTER_MS,
  );
  void writeBundledSkills(options.home).catch((error: unknown) => context.log('writing the skills that come along', error));
  supervisor.begin();
  const housekeeping = new Housekeeping(context, ending);
  housekeeping.begin();
  welcome(context);
  return {
    handlers: {
      ...systemHandlers(context),
      ...modelHandlers(context),
      ...usageHandlers(context),
      ...projectHandlers(context),
      ...taskHandlers(context, supervisor, ending),
      ...threadHandlers(context, supervisor),
      ...gateHandlers(context),
      ...planHandlers(context, supervisor),
      ...findingHandlers(context, reviews),
      ...controlHandlers(context, supervisor, control),
      ...mcpHandlers(context),
      ...transcriptHandlers(context),
      ...hookHandlers(context),
      ...searchHandlers(context),
      ...contextHandlers(context),
      ...reviewHandlers(context, terminals),
      ...recipeHandlers(context, supervisor, actions),
      ...networkHandlers(context),
    },
    snapshot: () => snapshotOf(context),
    onEvents: (listener) => context.events.on(listener),
    onTransient: (listener) => context.transients.on(listener),
    dispose: async () => {
      clearTimeout(selfTest);
      await Promise.all([supervisor.dispose(), reviews.dispose()]);
      await terminals.dispose();
      context.rest.dispose();
      housekeeping.dispose();
      await context.workspaces.dispose();
      await context.mcp.dispose();
      await context.hooks.dispose();
      await demo.close();
      context.outputs.dispose();
      context.network.dispose();
      context.store.close();
    },
  };
}
