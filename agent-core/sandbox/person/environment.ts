import { spawn } from 'node:child_process';
import { basename, delimiter, dirname, isAbsolute, join } from 'node:path';
import { realpathSync } from 'node:fs';

/** Names that a command inside may have from the person's login: where tools are and how text looks, never a secret. */
const ALLOWED = new Set([
  'PATH',
  'LANG',
  'LANGUAGE',
  'TZ',
  'SHELL',
  'USER',
  'LOGNAME',
  'EDITOR',
  'VISUAL',
  'PAGER',
  'LESS',
  'MANPATH',
  'INFOPATH',
  'NVM_DIR',
  'NVM_BIN',
  'NVM_INC',
  'FNM_DIR',
  'FNM_MULTISHELL_PATH',
  'VOLTA_HOME',
  'N_PREFIX',
  'PNPM_HOME',
  'BUN_INSTALL',
  'DENO_INSTALL',
  'PYENV_ROOT',
  'PYENV_SHELL',
  'PYENV_VERSION',
  'CONDA_PREFIX',
  'CONDA_EXE',
  'VIRTUAL_ENV',
  'RUSTUP_HOME',
  'RUSTUP_TOOLCHAIN',
  'GOROOT',
  'GOTOOLCHAIN',
  'JAVA_HOME',
  'JDK_HOME',
  'MAVEN_HOME',
  'M2_HOME',
  'GRADLE_HOME',
  'SDKMAN_DIR',
  'SDKMAN_CANDIDATES_DIR',
  'KOTLIN_HOME',
  'SCALA_HOME',
  'ANT_HOME',
  'ASDF_DIR',
  'ASDF_DATA_DIR',
  'MISE_DATA_DIR',
  'RBENV_ROOT',
  'RBENV_SHELL',
  'GEM_HOME',
  'GEM_PATH',
  'RUBY_VERSION',
  'JENV_ROOT',
  'NODENV_ROOT',
  'GHCUP_INSTALL_BASE_PREFIX',
  'DOTNET_ROOT',
  'ANDROID_HOME',
  'ANDROID_SDK_ROOT',
  'HOMEBREW_PREFIX',
  'HOMEBREW_CELLAR',
  'HOMEBREW_REPOSITORY',
  'NIX_PROFILES',
  'LS_COLORS',
  'COLORTERM',
]);

/** Names that say how the person's network is left and whom it trusts: for the core itself, never handed in. */
const NETWORK =
  /^(?:https?_proxy|all_proxy|no_proxy|node_extra_ca_certs|ssl_cert_file|requests_ca_bundle|curl_ca_bundle|git_ssl_cainfo|cargo_http_cainfo|pip_cert)$/i;

export interface Login {
  /** What commands inside may have. */
  env: Record<string, string>;
  /** The company's proxy and certificates. */
  network: Record<string, string>;
}

const MARK = '__signalbox_environment__';
const TIMEOUT_MS = 5000;

/** Whether a folder on PATH belongs to how Signalbox itself was started, not to the person. */
function ours(folder: string): boolean {
  if (basename(folder) === '.bin' && basename(dirname(folder)) === 'node_modules') return true;
  if (basename(folder) === 'node-gyp-bin') return true;
  try {
    const node = realpathSync(join(folder, 'node'));
    return /\/node_modules\/node-(linux|darwin|win)-[^/]+\/bin\/node$/.test(node);
  } catch {
    return false;
  }
}

/**
 * What keeps tools from asking the network of their own accord, for news of themselves or to report their use: in a
 * sandbox that would be one blocked connection after the other. The person's own words win.
 */
export const QUIET: Readonly<Record<string, string>> = {
  DO_NOT_TRACK: '1',
  NO_UPDATE_NOTIFIER: '1',
  NPM_CONFIG_UPDATE_NOTIFIER: 'false',
  PIP_DISABLE_PIP_VERSION_CHECK: '1',
  NEXT_TELEMETRY_DISABLED: '1',
  ASTRO_TELEMETRY_DISABLED: '1',
  GATSBY_TELEMETRY_DISABLED: '1',
  NUXT_TELEMETRY_DISABLED: '1',
  DOTNET_CLI_TELEMETRY_OPTOUT: '1',
  HOMEBREW_NO_ANALYTICS: '1',
  HOMEBREW_NO_AUTO_UPDATE: '1',
  CHECKPOINT_DISABLE: '1',
};

/** PATH without relative folders, doubles, and what `npm run` and our own launcher put in front. */
export function cleanPath(path: string): string {
  const folders = path.split(delimiter).filter((folder) => isAbsolute(folder) && !ours(folder));
  return [...new Set(folders)].join(delimiter);
}

/** Keeps the allowed names; `LC_*` too. Who has no language set gets the plain one that knows Unicode. */
export function allowed(env: Record<string, string | undefined>): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && (ALLOWED.has(name) || name.startsWith('LC_'))) kept[name] = value;
  }
  kept['PATH'] = cleanPath(kept['PATH'] ?? '') || '/usr/local/bin:/usr/bin:/bin';
  // Without any, file names beyond ASCII break Java and others; C.UTF-8 is there on every Linux.
  if (!kept['LANG'] && !kept['LC_ALL'] && !kept['LC_CTYPE']) kept['LANG'] = 'C.UTF-8';
  return kept;
}

function parse(output: string): Record<string, string> | null {
  const start = output.indexOf(MARK);
  const end = output.lastIndexOf(MARK);
  if (start === -1 || end === start) return null;
  const found: Record<string, string> = {};
  for (const entry of output.slice(start + MARK.length, end).split('\0')) {
    const at = entry.indexOf('=');
    if (at > 0) found[entry.slice(0, at).trimStart()] = entry.slice(at + 1);
  }
  return found;
}

/**
 * The person's login environment, asked of their own login shell outside, once. Where the shell takes longer than five
 * seconds or says nothing usable, the environment that Signalbox was started with stands in. Only allowed names remain, and those of
 * the network apart.
 */
export async function loginEnvironment(env: NodeJS.ProcessEnv): Promise<Login> {
  const shell = env['SHELL'] && isAbsolute(env['SHELL']) ? env['SHELL'] : '/bin/bash';
  const start = { ...env, PATH: cleanPath(env['PATH'] ?? '') || '/usr/local/bin:/usr/bin:/bin' };
  const output = await new Promise<string>((resolve) => {
    const child = spawn(shell, ['-lic', `printf %s ${MARK}; command env -0; printf %s ${MARK}`], {
      cwd: '/',
      env: { ...start, TERM: 'dumb' },
      stdio: ['ignore', 'pipe', 'ignore'],
      detached: true,
    });
    let text = '';
    const done = () => {
      clearTimeout(timer);
      resolve(text);
    };
    const timer = setTimeout(() => {
      try {
        process.kill(-(child.pid as number), 'SIGKILL');
      } catch {
        /* gone */
      }
      child.stdout.destroy();
      done();
    }, TIMEOUT_MS);
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
    });
    child.once('error', done);
    child.once('close', done);
  });
  const found: Record<string, string | undefined> = parse(output) ?? start;
  const network = Object.entries(found).filter((entry): entry is [string, string] => NETWORK.test(entry[0]) && Boolean(entry[1]));
  return { env: allowed(found), network: Object.fromEntries(network) };
}
