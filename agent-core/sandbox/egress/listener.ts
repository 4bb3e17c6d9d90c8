import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
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
const open = (index, address, want, any) => {
  const server = net.createServer();
  server.once('error', (error) => any && want !== 0 ? open(index, address, 0, any) : process.send({ index, error: error.message }));
  server.listen({ host: address, port: want, backlog: 256 }, () => process.send({ index, port: server.address().port }, server));
};
JSON.parse(process.argv[1]).forEach(([address, want, any], index) => open(index, address, want, any));
`;

/**
 * The same in a fifteenth of the time, so that each machine may have a port from the start: a system's own perl, which git
 * brings along nearly everywhere. It speaks Node's channel: a line of JSON, the socket beside it (`sendmsg` with
 * SCM_RIGHTS). The sockets are made non-blocking, as the core would wait in `accept` otherwise.
 */
const PERL = `
use strict; use Socket;
my ($sendmsg, @ask) = @ARGV;
open(my $channel, '<&=', $ENV{NODE_CHANNEL_FD}) or die "no channel";
sub tell_core {
  my ($text, $fd) = @_;
  my $iov = pack('PQ', $text, length $text);
  my $control = defined $fd ? pack('Qlllx4', 20, 1, 1, $fd) : '';
  my $head = defined $fd ? pack('QLx4PQPQix4', 0, 0, $iov, 1, $control, length $control, 0) : pack('QLx4PQQQix4', 0, 0, $iov, 1, 0, 0, 0);
  syscall($sendmsg + 0, $ENV{NODE_CHANNEL_FD} + 0, $head, 0) >= 0 or die "sendmsg: $!";
}
for my $index (0 .. $#ask) {
  my ($address, $want, $any) = split /,/, $ask[$index];
  my $host = inet_aton($address);
  my $socket;
  my $made = socket($socket, PF_INET, SOCK_STREAM | 2048, 0) && setsockopt($socket, SOL_SOCKET, SO_REUSEADDR, 1)
    && (bind($socket, sockaddr_in($want, $host)) || ($any && bind($socket, sockaddr_in(0, $host)))) && listen($socket, 256);
  if (!$made) { my $why = "$!"; $why =~ s/[^\\w ]//g; tell_core(qq({"index":$index,"error":"$why"}\\n)); next; }
  my ($port) = sockaddr_in(getsockname $socket);
  tell_core(qq({"cmd":"NODE_HANDLE","type":"net.Server","msg":{"index":$index,"port":$port}}\\n), fileno $socket);
  # The core answers each socket; only then the next may follow.
  sysread($channel, my $answer, 4096);
}
sysread(STDIN, my $rest, 1);
`;

const PERL_PATH = '/usr/bin/perl';
/** The number of `sendmsg`. */
const SENDMSG: Partial<Record<NodeJS.Architecture, number>> = { x64: 46, arm64: 211 };

/** A port to open inside. */
export interface Port {
  want: number;
  /** Whether any other will do when that one is taken. */
  any: boolean;
  /** An address of the machine's loopback; 127.0.0.1 unless said. */
  address?: string;
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

/** The words that start a program in a machine's network namespace; it has a channel to the core on descriptor 3. */
export function enter({ nsenter, pid, leaks }: Namespace, program: string[]): [string, string[]] {
  return withoutLeaks(leaks, 3, nsenter, ['--target', String(pid), '--user', '--net', '--preserve-credentials', '--', ...program]);
}

/** What Node as a helper needs in its environment. */
export const nodeEnvironment = (): Record<string, string> => (process.versions['electron'] ? { ELECTRON_RUN_AS_NODE: '1' } : {});

/** The two helpers; null where there is no perl. For {@link listenInside}, and for the tests to hold against each other. */
export const helpers = {
  perl: (namespace: Namespace, ports: Port[]): Promise<Listening[]> | null => {
    const sendmsg = SENDMSG[process.arch];
    if (!existsSync(PERL_PATH) || sendmsg === undefined) return null;
    const words = ports.map(({ address = '127.0.0.1', want, any }) => `${address},${want},${any ? 1 : 0}`);
    return ask(namespace, ports.length, [PERL_PATH, '-e', PERL, String(sendmsg), ...words]);
  },
  node: (namespace: Namespace, ports: Port[]): Promise<Listening[]> => {
    const asked = JSON.stringify(ports.map(({ address = '127.0.0.1', want, any }) => [address, want, any]));
    return ask(namespace, ports.length, [process.execPath, '-e', HELPER, asked]);
  },
};

let perl = true;

/** Opens loopback ports in a machine, in the order asked for. Throws `Failure('cannot-confine')` when that can't be tried. */
export async function listenInside(namespace: Namespace, ports: Port[]): Promise<Listening[]> {
  // What fails may be a perl without what it needs here, or a machine that is gone: the other way tells which.
  const quick = perl ? await helpers.perl(namespace, ports)?.catch(() => null) : null;
  if (quick) return quick;
  const found = await helpers.node(namespace, ports);
  perl = false;
  return found;
}

function ask(namespace: Namespace, count: number, program: string[]): Promise<Listening[]> {
  const [file, args] = enter(namespace, program);
  const child = spawn(file, args, { cwd: '/', env: nodeEnvironment(), stdio: ['pipe', 'ignore', 'pipe', 'ipc'], detached: true });
  child.stdin?.on('error', () => {});
  const found: Listening[] = [];
  let errors = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-4000);
  });
  return new Promise((resolve, reject) => {
    const end = (settle: () => void) => {
      clearTimeout(timer);
      child.stdin?.end();
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
      if (Object.keys(found).length === count) end(() => resolve(found));
    });
  });
}
