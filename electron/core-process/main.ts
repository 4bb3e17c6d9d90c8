import type { MessagePortMain } from 'electron';
import { toAppError, type Channel } from '../../agent-core/contract/index.ts';
import { createCore, obtainCore, portChannel, resolveHome, serveClient, type Obtained } from '../../agent-core/core.ts';
import { MainKeys } from './key-store.ts';
import { KEYS_IN_SYSTEM, OPEN_ON, type FromCore, type ToCore } from './messages.ts';

/**
 * The core in a process of its own: becomes the core of this home, or passes on to the one that runs already.
 * Ends when that one ends, so that main starts the next, which then becomes the core.
 */
const parent = process.parentPort;
const post = (message: FromCore): void => parent.postMessage(message);
const keys = new MainKeys(post);

async function obtain(): Promise<Obtained> {
  const { [KEYS_IN_SYSTEM]: keysInSystem, [OPEN_ON]: openOn, ...env } = process.env;
  const home = resolveHome(env);
  const obtained = await obtainCore({ home, host: 'electron', openOn: openOn ?? null, env, createCore, ...(keysInSystem ? { keys } : {}) });
  obtained.client.onClose(() => process.exit(1));
  return obtained;
}

function pipe(page: Channel, core: Channel): void {
  page.onMessage((message) => core.send(message));
  core.onMessage((message) => page.send(message));
  page.onClose(() => core.close());
  core.onClose(() => page.close());
}

async function admit(port: MessagePortMain): Promise<void> {
  const page = portChannel(port);
  const { own, open } = await obtained;
  if (own) serveClient(own, page);
  else pipe(page, await open());
}

async function stop(): Promise<void> {
  await (await obtained).close();
  process.exit(0);
}

const obtained = obtain();
obtained.then(
  () => post({ kind: 'ready' }),
  (thrown: unknown) => {
    const { message, fix } = toAppError(thrown);
    post({ kind: 'failed', message: fix ? `${message}\n\n${fix}` : message });
  },
);
parent.on('message', ({ data, ports }) => {
  const message = data as ToCore;
  const [port] = ports;
  if (message.kind === 'client' && port) void admit(port).catch(() => port.close());
  else if (message.kind === 'answer') keys.answered(message);
  else if (message.kind === 'stop') void stop().catch(() => process.exit(1));
});
