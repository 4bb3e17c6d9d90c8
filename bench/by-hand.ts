import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import type { Machine } from '../agent-core/sandbox/types.ts';

/**
 * The bubblewrap arguments under which a machine runs its commands, read off a running one, without what joins the
 * machine: new namespaces of its own instead. What a person would type to get the same fence once. Ends with `--`.
 */
export async function byHand(machine: Machine): Promise<string[]> {
  const marker = '86421';
  const running = await machine.run({ argv: ['sleep', marker] });
  for (;;) {
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      let args: string[];
      try {
        args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
      } catch {
        continue;
      }
      if (!args[0]?.endsWith('bwrap') || !args.includes(marker)) continue;
      await running.kill('kill');
      return ['--unshare-all', ...withoutJoining(args.slice(1, args.indexOf('--'))), '--'];
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function withoutJoining(args: string[]): string[] {
  const kept: string[] = [];
  for (let n = 0; n < args.length; n++) {
    if (['--pidns', '--userns', '--userns2', '--seccomp'].includes(args[n]!)) n++;
    else kept.push(args[n]!);
  }
  return kept;
}

/** Runs a command on pipes; resolves with its output when it has ended well. */
export function ended(command: string, args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    let text = '';
    child.once('error', reject);
    child.once('close', (code) => (code === 0 ? resolve(text) : reject(new Error(`${command} ended with ${code}`))));
    child.stdin.end();
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => process.stderr.write(chunk));
  });
}
