import { closeSync, openSync } from 'node:fs';
import type { IPty } from 'node-pty';
import { withoutLeaks } from '../../leaks.ts';
import type { PipePool } from '../../process/pipe-pool.ts';
import { spawnPiped } from '../../process/spawn-piped.ts';
import type { TerminalCommand } from '../../process/terminal.ts';
import { DESCRIPTORS } from './arguments.ts';
import type { Holder, Programs } from './holder.ts';

/** One command, ready to be started. */
export interface Launch {
  programs: Programs;
  holder: Holder;
  /** bwrap's arguments for the file system, the environment and the working folder. */
  inside: string[];
  argv: string[];
  env: Record<string, string>;
  /** The file with the compiled filter. */
  seccomp: string;
  /** Shell text that sets the limits of the command; see limits.ts. */
  limits: string;
  /** Descriptors that the core inherited and that would go on into every child. */
  leaks: number[];
  /** Called with the launcher at once. */
  began: (pid: number) => void;
}

const { seccomp, pidNamespace, userNamespace } = DESCRIPTORS;
/** bwrap leaves the namespaces' descriptors open: closed here, inside the fence, before the command begins. */
const CLOSE = `exec ${pidNamespace}<&- ${userNamespace}<&-`;

/**
 * Without `--die-with-parent`: with `--pidns` bwrap forks once more, and the process between may end after its child asked
 * to die with its parent, so that now and then a command is killed as it begins. The holder's end takes all commands with
 * it; the end of a launcher alone is seen to by the driver.
 */
function joinArguments(launch: Launch, inner: string, more: string[] = []): string[] {
  const { programs, holder } = launch;
  return [
    '--target',
    String(holder.pid),
    '--user',
    '--net',
    '--ipc',
    '--preserve-credentials',
    '--',
    programs.bwrap,
    '--pidns',
    String(pidNamespace),
    '--userns2',
    String(userNamespace),
    '--seccomp',
    String(seccomp),
    '--cap-drop',
    'ALL',
    ...more,
    ...launch.inside,
    '--',
    '/bin/sh',
    '-c',
    `${CLOSE}; ${launch.limits}${inner}`,
    'sh',
    ...launch.argv,
  ];
}

/** Starts the command with pipes, in a session of its own: `kill 0` is for the command's processes and not for the launcher. */
export async function launchPiped(launch: Launch, pool: PipePool) {
  const [file, args] = withoutLeaks(
    launch.leaks,
    userNamespace,
    launch.programs.nsenter,
    joinArguments(launch, 'exec "$@"', ['--new-session']),
  );
  // A filter's descriptor is read to its end once: a fresh one for each start.
  const filter = openSync(launch.seccomp, 'r');
  try {
    return await spawnPiped(pool, {
      file,
      args,
      env: launch.env,
      cwd: '/',
      more: [filter, launch.holder.pidNamespace, launch.holder.userNamespace],
      began: launch.began,
    });
  } finally {
    closeSync(filter);
  }
}

/**
 * Starts the command on a PTY. node-pty hands no descriptors over, so a shell opens them by path. Ctrl-C and Ctrl-Z go
 * to the launcher too, as it shares the command's process group, and so does `kill 0`: it ignores them, and `env` puts
 * them back inside.
 */
export function launchTerminal(
  launch: Launch,
  size: { cols: number; rows: number },
  openTerminal: (command: TerminalCommand) => IPty,
): IPty {
  const paths = [
    launch.seccomp,
    `/proc/${process.pid}/fd/${launch.holder.pidNamespace}`,
    `/proc/${process.pid}/fd/${launch.holder.userNamespace}`,
  ];
  const open = `trap '' INT QUIT TSTP TERM; exec ${seccomp}<"$0" ${pidNamespace}<"$1" ${userNamespace}<"$2"; shift 2; exec "$@"`;
  const [file, args] = withoutLeaks(
    launch.leaks,
    userNamespace,
    launch.programs.nsenter,
    joinArguments(launch, 'exec env --default-signal=INT,QUIT,TSTP,TERM "$@"'),
  );
  const pty = openTerminal({
    file: '/bin/sh',
    args: ['-c', open, ...paths, file, ...args],
    env: launch.env,
    cwd: '/',
    size,
  });
  launch.began(pty.pid);
  return pty;
}
