import type { ModelWire } from '../../contract/index.ts';
import type { Core, CoreOptions } from '../../runtime/api.ts';
import { wireIn } from '../../runtime/wire-in.ts';
import { obtainCore, type Obtained } from '../attach.ts';
import { resolveHome } from '../home.ts';
import { say } from './print.ts';

const POLL_MS = 100;

/** Loaded only by the command that becomes the core: one that attaches starts without it. */
async function becomeCore(options: CoreOptions): Promise<Core> {
  const { createCore } = await import('../../core.ts');
  return createCore(options);
}

/** The core of this person's home, for a command. */
export const obtain = (host: 'cli' | 'serve' = 'cli', openOn: string | null = null): Promise<Obtained> =>
  obtainCore({ home: resolveHome(), host, openOn, env: process.env, createCore: becomeCore });

/**
 * Leaves the core. When it runs in this process and others have work on it, it stays until that is done:
 * ending it would interrupt them. A further Ctrl-C leaves at once.
 */
export async function leave(obtained: Obtained): Promise<void> {
  if (obtained.own && obtained.othersBusy()) {
    say('Other tasks use this core: staying until they are done. (Ctrl-C stops them.)');
    const stop = new AbortController();
    const end = (): void => stop.abort();
    process.once('SIGINT', end).once('SIGTERM', end);
    while (!stop.signal.aborted && obtained.othersBusy())
      await new Promise((resolve) => {
        setTimeout(resolve, POLL_MS);
      });
  }
  await obtained.close();
}

/** Calls `stop` on the first Ctrl-C (or SIGTERM, SIGHUP); on a second one the process ends as it is. */
export function onInterrupt(stop: () => void): () => void {
  let asked = false;
  const handle = (): void => {
    if (asked) process.exit(1);
    asked = true;
    stop();
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, handle);
  return () => {
    for (const signal of signals) process.off(signal, handle);
  };
}

/**
 * The caller's own model endpoint, which the core keeps in memory for this task. Throws `invalid-input` for a
 * SIGNALBOX_WIRE that names no API, whichever core it would go to.
 */
export function endpoint(env: Record<string, string | undefined>): { baseUrl: string; key: string; wire?: ModelWire } | undefined {
  const baseUrl = env['OPENAI_BASE_URL'] ?? '';
  const key = env['OPENAI_API_KEY'] ?? '';
  const wire = wireIn(env);
  return baseUrl || key ? { baseUrl, key, ...(wire ? { wire } : {}) } : undefined;
}
