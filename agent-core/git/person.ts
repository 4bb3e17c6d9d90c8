import { simpleGit } from 'simple-git';
import type { SimpleGit } from 'simple-git';

/** What the person's own ssh, proxies and credential helpers need; the rest of GIT_* is left behind. */
const PERSONAL = /^(?:GIT_SSH|GIT_SSH_COMMAND|GIT_SSH_VARIANT|GIT_PROXY_COMMAND|GIT_SSL_.*|SSH_AUTH_SOCK|SSH_AGENT_PID)$/;

/**
 * The one factory of simple-git: refs, branches, log, remotes and fetch on the person's **own** repository with the
 * person's own settings and keys, never in a folder an agent can write. Hooks and fsmonitor stay off.
 */
export function personalGit(
  folder: string,
  options: { signal?: AbortSignal; onProgress?: (fraction: number) => void; config?: readonly string[] } = {},
): SimpleGit {
  const env = personalEnv();
  const git = simpleGit({
    baseDir: folder,
    // Each name is unlocked by itself: they are the person's own, already filtered.
    allowEnvironment: Object.keys(env),
    maxConcurrentProcesses: 4,
    config: [
      'core.hooksPath=/dev/null',
      'core.fsmonitor=false',
      'gc.auto=0',
      'maintenance.auto=false',
      'submodule.recurse=false',
      'fetch.recurseSubmodules=false',
      ...(options.config ?? []),
    ],
    unsafe: {
      allowUnsafeHooksPath: true,
      allowUnsafeFsMonitor: true,
      allowUnsafeSshCommand: true,
      allowUnsafeGitProxy: true,
      allowUnsafeConfigPaths: true,
    },
    ...(options.signal ? { abort: options.signal } : {}),
    ...(options.onProgress ? { progress: (event: { progress: number }) => options.onProgress?.(event.progress / 100) } : {}),
  });
  return git.env(env);
}

function personalEnv(): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (value === undefined || /^(?:LD_|LANG|LC_|PAGER$|EDITOR$|VISUAL$|SSH_ASKPASS|PREFIX$)/.test(name)) continue;
    if (name.startsWith('GIT_') && !PERSONAL.test(name)) continue;
    env[name] = value;
  }
  return { ...env, LC_ALL: 'C', GIT_TERMINAL_PROMPT: '0' };
}
