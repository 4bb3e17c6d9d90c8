import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readlinkSync } from 'node:fs';
import { connect, type Server } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { helpers, type Listening, type Namespace, type Port } from '../../agent-core/sandbox/egress/listener.ts';

/** A process in a network namespace of its own, with its loopback up. */
async function namespace(): Promise<Namespace> {
  const child = spawn('unshare', ['-Urn', 'sh', '-c', 'ip link set lo up 2>/dev/null; echo up; exec cat'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  await once(child.stdout, 'data');
  return { nsenter: '/usr/bin/nsenter', pid: child.pid as number, leaks: [] };
}

const servers = (found: Listening[]): Server[] =>
  found.flatMap((one) => {
    if (one.port === null) return [];
    onTestFinished(() => {
      one.server.close();
    });
    return [one.server];
  });

for (const [name, helper] of Object.entries(helpers)) {
  test.skipIf(name === 'perl' && !existsSync('/usr/bin/perl'))(
    `${name} opens ports in another network namespace and hands them over`,
    async () => {
      const there = await namespace();
      const ask = (...ports: Port[]) => helper(there, ports) as Promise<Listening[]>;
      const first = await ask({ want: 47_831, any: true }, { want: 5432, any: false, address: '127.0.0.9' }, { want: 47_831, any: true });
      const opened = servers(first);
      expect(first.map(({ port }) => port)).toEqual([47_831, 5432, expect.any(Number)]);
      expect(first[2]!.port).not.toBe(47_831);
      const second = await ask({ want: 47_831, any: false });
      expect(second).toMatchObject([{ port: null, why: expect.stringMatching(/in use/i) as string }]);
      // Another namespace than ours: nothing listens there for us, and two connections at once don't stop the core.
      const here = connect(5432, '127.0.0.9');
      await expect(once(here, 'connect')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
      expect(readlinkSync(`/proc/${there.pid}/ns/net`)).not.toBe(readlinkSync('/proc/self/ns/net'));
      for (const server of opened) server.on('connection', (socket) => socket.end('from the core'));
      const client = spawn(
        'nsenter',
        [
          '-t',
          String(there.pid),
          '-U',
          '-n',
          '--preserve-credentials',
          'bash',
          '-c',
          'exec 3<>/dev/tcp/127.0.0.1/47831 4<>/dev/tcp/127.0.0.9/5432; cat <&3; cat <&4',
        ],
        { stdio: ['ignore', 'pipe', 'inherit'] },
      );
      let text = '';
      for await (const chunk of client.stdout) text += String(chunk);
      expect(text).toBe('from the corefrom the core');
    },
  );
}
