/** The way out: 64 MiB by curl from inside through the proxy, against curl outside straight from the same server; and what a request costs. */
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { createSandbox } from '../agent-core/sandbox/index.ts';
import type { Policy } from '../agent-core/sandbox/types.ts';
import { alternate, median, ms, ratio, report, scratch, times } from './lib.ts';

const SIZE = 64 << 20;
const folder = scratch();
const worktree = join(folder, 'worktree');
mkdirSync(worktree);

/** In a process of its own, as a server out there is. */
const SERVER = `
const block = Buffer.alloc(1 << 20, 'x');
const server = require('node:http').createServer((request, response) => {
  if (request.url !== '/large') { response.end('ok'); return; }
  response.writeHead(200, { 'content-length': ${SIZE} });
  let sent = 0;
  const pump = () => {
    while (sent < ${SIZE}) { sent += block.length; if (!response.write(block)) { response.once('drain', pump); return; } }
    response.end();
  };
  pump();
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
process.stdin.resume().on('end', () => process.exit());
`;
const server = spawn(process.execPath, ['-e', SERVER], { stdio: ['pipe', 'pipe', 'inherit'] });
const port = Number(
  await new Promise((resolve) => {
    server.stdout.once('data', resolve);
  }),
);

const dial = () =>
  new Promise<Socket>((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    socket.once('connect', () => resolve(socket)).once('error', reject);
  });
const policy: Policy = {
  mode: 'workspace',
  network: { allow: ['bench.example'] },
  limits: { processes: 1024, memoryBytes: 8 << 30, fileBytes: 8 << 30 },
};
const sandbox = createSandbox({
  stateDir: join(folder, 'sandbox'),
  env: { PATH: process.env['PATH'], HOME: process.env['HOME'] },
  network: { resolve: async () => ['93.184.215.14'], dial },
});
const machine = await sandbox.driver(policy).open({ id: 'bench', stateDir: join(folder, 'state'), worktree, binds: [], policy, env: {} });

/** Seconds that curl itself says the transfer took: starting curl, bare or in a sandbox, is measured elsewhere. */
const WRITE = ['-sS', '-o', '/dev/null', '-w', '%{time_total}'];
async function inside(...args: string[]): Promise<number> {
  const { stdout, stderr, code } = await machine.collect({ argv: ['curl', ...WRITE, ...args] });
  if (code !== 0) throw new Error(stderr.toString());
  return Number(stdout.toString()) * 1000;
}
function outside(url: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn('curl', [...WRITE, '--noproxy', '*', url], { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    child.once('close', (code) => (code === 0 ? resolve(Number(said) * 1000) : reject(new Error('curl failed'))));
  });
}

/** Each contender's own times, in turn. */
async function measure<K extends string>(rounds: number, contenders: Record<K, () => Promise<number>>): Promise<Record<K, number[]>> {
  const own = Object.fromEntries(Object.keys(contenders).map((name) => [name, [] as number[]])) as Record<K, number[]>;
  await alternate(
    rounds,
    Object.fromEntries(
      Object.entries<() => Promise<number>>(contenders).map(([name, work]) => [
        name,
        async () => {
          own[name as K].push(await work());
        },
      ]),
    ),
  );
  return own;
}

const tunnel = ['--proxytunnel', '--connect-to', 'bench.example:9:bench.example:9'];
const large = await measure(10, {
  direct: () => outside(`http://127.0.0.1:${port}/large`),
  forward: () => inside('http://bench.example/large'),
  tunnel: () => inside(...tunnel, 'http://bench.example:9/large'),
});
const rate = (values: number[]) => `${Math.round(SIZE / (1 << 20) / (median(values) / 1000))} MiB/s`;
for (const [kind, values] of [
  ['plain HTTP', large.forward],
  ['HTTP in a CONNECT tunnel', large.tunnel],
] as const) {
  report({
    what: `64 MiB through the proxy, ${kind}`,
    value: `${times(1 / ratio(values, large.direct))} of the rate (${rate(values)})`,
    baseline: `direct loopback ${rate(large.direct)}`,
  });
}
const small = await measure(200, {
  direct: () => outside(`http://127.0.0.1:${port}/`),
  proxied: () => inside('http://bench.example/'),
});
report({
  what: 'one small request through the proxy',
  value: `${times(ratio(small.proxied, small.direct))} (${ms(median(small.proxied))})`,
  baseline: `direct loopback ${ms(median(small.direct))}`,
});
await machine.dispose();
server.kill();
