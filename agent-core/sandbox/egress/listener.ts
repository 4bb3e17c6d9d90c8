import { spawn } from 'node:child_process';
import type { Server } from 'node:net';
import { Failure } from '../../contract/errors.ts';
import { withoutLeaks } from '../leaks.ts';

/**
 * Runs for a moment in a machine's network namespace: opens ports on the loopback there and hands the listening sockets
 * to the core. A socket stays in the namespace that it was made in, so from then on the core itself takes what the
 * machine's processes connect to it. Nothing stays behind that they could end or fool, it needs nothing in their file
 * system, and with the core, however it ends, the ports are gone. A port is `want`, or any other where that is taken
 * and `any` is set.
 */
const HELPER = `
const net = require('node:net');
process.on('disconnect', () => process.exit());
const open = (index, want, any) => {
  const server = net.createServer();
  server.once('error', (error) => any && want !== 0 ? open(index, 0, any) : process.send({ index, error: error.message }));
  server.listen({ host: '127.0.0.1', port: want, backlog: 256 }, () => process.send({ index, port: server.address().port }, server));
};
JSON.parse(process.argv[1]).forEach(([want, any], index) => open(index, want, any));
`;

/** A port to open inside. */
export interface Port {
  want: number;
  /** Whether any other will do when that one is taken. */
  any: boolean;
}

/** A listening socket inside, or why there is none. */
export type Listening = { port: number; server: Server } | { port: null; why: string };

export interface Namespace {
  nsenter: string;
  /** A process in the machine's namespaces, as the core numbers it. */
  pid: number;
  /** Descriptors that must not go on into a child; see leaks.ts. */
  leaks: number[];
}

const TIMEOUT_MS = 10_000;

type Said = { index: number; port: number } | { index: number; error: string };

/** Opens loopback ports in a machine, in the order asked for. Throws `Failure('cannot-confine')` when that can't be tried. */
export function listenInside(namespace: Namespace, ports: Port[]): Promise<Listening[]> {
  const asked = JSON.stringify(ports.map(({ want, any }) => [want, any]));
  const [file, args] = withoutLeaks(namespace.leaks, 3, namespace.nsenter, [
    '--target',
    String(namespace.pid),
    '--user',
    '--net',
    '--preserve-credentials',
    '--',
    process.execPath,
    '-e',
    HELPER,
    asked,
  ]);
  const child = spawn(file, args, {
    cwd: '/',
    env: process.versions['electron'] ? { ELECTRON_RUN_AS_NODE: '1' } : {},
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    detached: true,
  });
  const found: Listening[] = [];
  let errors = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-4000);
  });
  return new Promise((resolve, reject) => {
    const end = (settle: () => void) => {
      clearTimeout(timer);
      if (child.connected) child.disconnect();
      settle();
    };
    const fail = (why: string) =>
      end(() => {
        child.kill('SIGKILL');
        for (const one of found) if (one?.port) one.server.close();
        reject(
          new Failure('cannot-confine', `The way out to the network could not be opened, so nothing was run: ${why}`, { output: errors }),
        );
      });
    const timer = setTimeout(() => fail('it took too long'), TIMEOUT_MS);
    child.on('error', (error) => fail(error.message));
    child.once('close', (code) => fail(errors.trim() || `the helper ended with ${code}`));
    child.on('message', (said, handle) => {
      const { index, ...rest } = said as Said;
      found[index] = 'port' in rest ? { port: rest.port, server: handle as Server } : { port: null, why: rest.error };
      if (Object.keys(found).length === ports.length) end(() => resolve(found));
    });
  });
}
