/** Sandboxed command start: `true`, 100 times each in turn, against bare spawn and against the same bubblewrap by hand. */
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSandbox } from '../agent-core/sandbox/index.ts';
import { alternate, median, ms, ratio, report, scratch, times } from './lib.ts';

const folder = scratch();
const worktree = join(folder, 'worktree');
mkdirSync(worktree);
const policy = { mode: 'workspace', network: { allow: [] }, limits: { processes: 1024, memoryBytes: 8 << 30, fileBytes: 8 << 30 } } as const;
const sandbox = createSandbox({ stateDir: join(folder, 'sandbox'), env: process.env });
const spec = { id: 'bench', stateDir: join(folder, 'state'), worktree, binds: [], policy: { ...policy, network: { allow: [] } }, env: {} };
const driver = sandbox.driver(spec.policy);
const machine = await driver.open(spec);

function ended(command: string, args: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    child.once('close', (code) => (code === 0 ? resolve() : reject(new Error(`${command} ended with ${code}`))));
    child.stdin.end();
    child.stdout.resume();
    child.stderr.on('data', (chunk: Buffer) => process.stderr.write(chunk));
  });
}

/** The arguments of the bubblewrap that runs now for `marker`, without what joins the machine: namespaces of its own instead. */
async function byHand(): Promise<string[]> {
  const marker = '86421';
  const running = await machine.run({ argv: ['sleep', marker] });
  for (;;) {
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      let args: string[];
      try { args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1); } catch { continue; }
      if (!args[0]?.endsWith('bwrap') || !args.includes(marker)) continue;
      await running.kill('kill');
      const own = args.slice(1, args.indexOf('--'));
      const kept: string[] = [];
      for (let n = 0; n < own.length; n++) {
        if (['--pidns', '--userns', '--userns2', '--seccomp'].includes(own[n]!)) n++;
        else kept.push(own[n]!);
      }
      return ['--unshare-all', ...kept, '--', 'true'];
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const args = await byHand();
const measured = await alternate(100, {
  bare: () => ended('true', []),
  hand: () => ended('bwrap', args),
  ours: async () => { await (await machine.run({ argv: ['true'] })).exited; },
});
const first = await alternate(10, {
  first: async () => {
    const fresh = await driver.open({ ...spec, id: `bench-${performance.now()}`, stateDir: join(folder, `state-${performance.now()}`) });
    await (await fresh.run({ argv: ['true'] })).exited;
    await fresh.dispose();
  },
});
const by = ratio(measured.ours, measured.hand);
report({
  what: 'sandboxed command start (joining its machine)', value: `${times(by)} (${ms(median(measured.ours))})`,
  baseline: `the same bwrap by hand ${ms(median(measured.hand))}, bare spawn ${ms(median(measured.bare))}`, budget: '≤ 1.3 ×', ok: by <= 1.3,
});
report({ what: 'a machine opened, its first command run, and closed', value: ms(median(first.first)) });
await machine.dispose();
