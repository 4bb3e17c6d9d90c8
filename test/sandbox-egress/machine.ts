import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createSandbox, type NetworkOptions } from '../../agent-core/sandbox/index.ts';
import type { Machine, Policy } from '../../agent-core/sandbox/types.ts';
import { certificate, type Outside } from './outside.ts';

export const policy = (network: Policy['network']): Policy => ({
  mode: 'workspace',
  network,
  limits: { processes: 300, memoryBytes: 4 * 1024 ** 3, fileBytes: 2 * 1024 ** 3 },
});

let count = 0;
/** A real machine whose way out leads into the test's own network; `ca.pem` in its worktree is that network's certificate. */
export async function machineIn(
  net: Outside,
  network: Policy['network'],
  env: NodeJS.ProcessEnv = {},
  credential?: NetworkOptions['credential'],
): Promise<Machine> {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'signalbox-egress-')));
  const worktree = join(base, 'worktree');
  mkdirSync(worktree);
  writeFileSync(join(worktree, 'ca.pem'), certificate().cert);
  const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/_proxy$/i.test(name)));
  const sandbox = createSandbox({
    stateDir: join(base, 'sandbox'),
    env: { ...clean, ...env },
    network: { resolve: net.resolve, dial: net.dial, log: (_machine, entry) => net.log.push(entry), ...(credential ? { credential } : {}) },
  });
  const granted = policy(network);
  const machine = await sandbox.driver(granted).open({
    id: `egress-${++count}`,
    stateDir: join(base, 'state'),
    worktree,
    binds: [],
    env: {},
    policy: granted,
  });
  onTestFinished(async () => {
    await machine.dispose();
    rmSync(base, { recursive: true, force: true });
  });
  return machine;
}

/** Runs shell text inside; what it printed, and its code. */
export async function shell(machine: Machine, text: string): Promise<{ code: number; out: string; err: string }> {
  const { code, stdout, stderr } = await machine.collect({ argv: ['bash', '-c', text] });
  return { code, out: stdout.toString().trim(), err: stderr.toString().trim() };
}
