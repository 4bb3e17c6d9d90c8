import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync } from 'node:fs';
import type { PipePool, Pipes } from './pipe-pool.ts';

export interface PipedCommand {
  file: string;
  args: string[];
  env: Record<string, string>;
  cwd: string;
  /** Descriptors of the core's that become 3, 4, … in the child. */
  more?: number[];
  /** Called at once, before it can have started anything itself. */
  began?: (pid: number) => void;
}

/** Starts a command on real pipes, in a session of its own. Resolves when it runs; rejects with Node's error. */
export async function spawnPiped(pool: PipePool, command: PipedCommand): Promise<{ child: ChildProcess & { pid: number }; pipes: Pipes }> {
  const pipes = await pool.take();
  try {
    const child = spawn(command.file, command.args, {
      cwd: command.cwd,
      env: command.env,
      detached: true,
      stdio: [...pipes.ends, ...(command.more ?? [])],
    });
    const { pid } = child;
    if (pid === undefined) {
      for (const stream of [pipes.stdin, pipes.stdout, pipes.stderr]) stream.destroy();
      throw await new Promise((resolve) => child.once('error', resolve));
    }
    command.began?.(pid);
    // Such as a signal that comes too late: how it ended is told by its exit.
    child.on('error', () => {});
    return { child: Object.assign(child, { pid }), pipes };
  } finally {
    for (const end of pipes.ends) closeSync(end);
  }
}
