import { existsSync, readdirSync, realpathSync, statSync, type Dirent } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

/** What is visible inside anyway. */
const SYSTEM = ['/usr', '/bin', '/sbin', '/lib', '/lib64', '/etc', '/proc', '/dev', '/sys', '/tmp', '/var', '/run'];

/** Version managers and what of them programs need, relative to HOME. Their tokens and configuration are not in it. */
const IN_HOME = [
  '.nvm',
  '.fnm',
  '.local/share/fnm',
  '.local/state/fnm_multishells',
  '.volta',
  '.nodenv',
  'n',
  '.bun/bin',
  '.deno/bin',
  '.local/share/pnpm',
  '.pyenv',
  '.local/share/uv/tools',
  '.local/share/uv/python',
  '.local/share/pipx',
  '.local/pipx',
  'miniconda3',
  'anaconda3',
  'miniforge3',
  'mambaforge',
  '.conda/envs',
  '.rustup',
  '.cargo/bin',
  'go/bin',
  'sdk',
  '.sdkman',
  '.jenv',
  '.jdks',
  '.asdf',
  '.local/share/mise',
  '.rbenv',
  '.rvm',
  '.gem/ruby',
  '.ghcup',
  '.juliaup',
  '.dotnet',
  '.linuxbrew',
  '.nix-profile',
  '.local/bin',
  'bin',
  'Android/Sdk',
];

/** Programs whose real place is looked up too, since a name on PATH is often a link into a manager's folder. */
const PROGRAMS = [
  'node',
  'npm',
  'pnpm',
  'yarn',
  'bun',
  'deno',
  'python',
  'python3',
  'pip',
  'uv',
  'poetry',
  'cargo',
  'rustc',
  'go',
  'java',
  'javac',
  'mvn',
  'gradle',
  'ruby',
  'bundle',
  'php',
  'composer',
  'dotnet',
  'ghc',
  'cabal',
  'julia',
  'elixir',
  'mix',
  'erl',
  'git',
  'make',
  'cmake',
  'rg',
  'jq',
  'gcc',
  'clang',
];

/** More links in one folder are not looked at. */
const MOST_LINKS = 1000;

const within = (path: string, folder: string) => path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`);
const real = (path: string): string | null => {
  try {
    return realpathSync(path);
  } catch {
    return null;
  }
};

/** Whether a folder lies in a repository: what stands beside its programs is somebody's work, with untracked files and settings. */
function inRepository(folder: string): boolean {
  for (let at = folder; at !== '/'; at = dirname(at)) if (existsSync(join(at, '.git'))) return true;
  return false;
}

/** What an unknown `bin` is a part of, where that is an installation; a repository itself is never shown. */
function installation(path: string, isInstalled: boolean): string | null {
  if (existsSync(join(path, '.git'))) return null;
  return isInstalled && !inRepository(dirname(path)) ? dirname(path) : path;
}

/** The folder to show for a path that programs live in; null where nothing must be shown, or nothing may. */
function rootOf(path: string, home: string): string | null {
  if (path === '/' || within(home, path)) return null;
  if (within(path, home)) {
    const known = IN_HOME.find((name) => within(path, join(home, name)));
    if (known) return join(home, known);
    // An unknown place in HOME: the folder of programs itself, and a bin's siblings only where it is an installation.
    const parent = dirname(path);
    const installed = path.endsWith('/bin') && parent !== home && dirname(parent) !== home && existsSync(join(parent, 'lib'));
    return installation(path, installed);
  }
  if (SYSTEM.some((folder) => within(path, folder))) return null;
  if (within(path, '/nix')) return '/nix/store';
  if (within(path, '/home/linuxbrew')) return '/home/linuxbrew/.linuxbrew';
  const top = path.split('/').slice(0, 3).join('/');
  if (within(path, '/opt') && !existsSync(join(top, '.git'))) return top;
  return installation(path, path.endsWith('/bin') && dirname(path) !== '/');
}

/** What lies in a folder; nothing where it can't be read. */
function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

/** Links of any name that lead into a version manager's folder. Others are followed for known programs only: they may lead into somebody's work. */
function managedLinks(folder: string, home: string): string[] {
  if (SYSTEM.some((system) => within(folder, system)) && !within(folder, home)) return [];
  return entriesOf(folder)
    .slice(0, MOST_LINKS)
    .flatMap((entry) => {
      const target = entry.isSymbolicLink() ? real(join(folder, entry.name)) : null;
      return target && IN_HOME.some((name) => within(target, join(home, name))) ? [dirname(target)] : [];
    });
}

/** Folders that a link on PATH leads to: `~/.local/bin/tool` → `~/.local/share/uv/tools/…`. */
function linkedPlaces(folder: string, home: string): string[] {
  const found = managedLinks(folder, home);
  for (const name of PROGRAMS) {
    const path = join(folder, name);
    const target = existsSync(path) ? real(path) : null;
    if (target && dirname(target) !== folder) found.push(dirname(target));
  }
  return found;
}

/** What a shim needs besides the folder that it lies in. */
function companions(root: string, home: string, env: Record<string, string>): string[] {
  const named = [
    'PYENV_ROOT',
    'NVM_DIR',
    'VOLTA_HOME',
    'RUSTUP_HOME',
    'JAVA_HOME',
    'GOROOT',
    'SDKMAN_DIR',
    'ASDF_DATA_DIR',
    'RBENV_ROOT',
    'DOTNET_ROOT',
  ]
    .map((name) => env[name])
    .filter((path): path is string => path !== undefined && path.startsWith('/'));
  if (root === join(home, '.local/share/uv/tools')) return [join(home, '.local/share/uv/python'), ...named];
  return root === join(home, '.cargo/bin') ? [join(home, '.rustup'), ...named] : named;
}

/** Names of files with tokens, as tools keep them beside their programs. */
const TOKENS = ['credentials', 'credentials.toml', '.npmrc', '.netrc', '.pypirc', 'gradle.properties', 'settings.xml', 'auth.json'];
/** What cargo keeps beside its programs: other projects' sources. */
const NOT_PROGRAMS = ['registry', 'git'];

/** A folder as it is shown: where tokens lie in it, only the folders below it. */
function shown(root: string): string[] {
  if (!TOKENS.some((name) => existsSync(join(root, name)))) return [root];
  return entriesOf(root)
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && !NOT_PROGRAMS.includes(entry.name))
    .map((entry) => join(root, entry.name));
}

/** Files in HOME that a shim reads to know which version is meant. They name versions and nothing else. */
function versionFiles(roots: Iterable<string>, home: string): string[] {
  const asdf = [...roots].some((root) => /\/\.?asdf$/.test(root));
  return asdf && statSync(join(home, '.tool-versions'), { throwIfNoEntry: false })?.isFile() ? [join(home, '.tool-versions')] : [];
}

/**
 * The folders, outside the system's own, that must be visible read-only for the person's tools on PATH to run. Never
 * HOME itself, a folder above it, one that holds `hidden` (our own data), or a repository; nested ones are left out.
 * Missing ones too.
 */
export function findToolchains(env: Record<string, string>, home: string, hidden?: string): string[] {
  const folders = (env['PATH'] ?? '').split(delimiter).filter((folder) => folder.startsWith('/') && existsSync(folder));
  const places = folders.flatMap((folder) => {
    const target = real(folder);
    return [folder, ...(target && target !== folder ? [target] : []), ...linkedPlaces(folder, home)];
  });
  const shows = (path: string) => hidden === undefined || !within(hidden, path);
  // Playwright's browsers are on no PATH; see docs/browser-tests.md.
  const roots = new Set<string>([join(home, '.cache/ms-playwright')]);
  for (const place of places) {
    const root = rootOf(place, home);
    if (!root) continue;
    roots.add(shows(root) ? root : place);
    for (const more of companions(root, home, env)) if (rootOf(more, home)) roots.add(rootOf(more, home) ?? more);
  }
  const found = [...roots]
    .flatMap((root) => (existsSync(root) ? shown(root) : []))
    .filter((path) => shows(path) && statSync(path, { throwIfNoEntry: false })?.isDirectory() && readdirSync(path).length > 0);
  const outermost = found.filter((path) => !found.some((other) => other !== path && within(path, other)));
  return [...outermost, ...versionFiles(roots, home)].toSorted();
}

/**
 * PATH as it works inside. A folder that is not shown, but leads to one that is (fnm keeps its links in /run), stands as
 * that one; `more` are folders that shims would have led to.
 */
export function visiblePath(path: string, toolchains: readonly string[], more: readonly string[] = []): string {
  const visible = (folder: string): boolean =>
    toolchains.some((root) => within(folder, root)) || ['/usr', '/bin', '/sbin', '/lib'].some((root) => within(folder, root));
  const folders = path.split(delimiter).map((folder) => {
    if (visible(folder)) return folder;
    const target = real(folder);
    return target !== null && visible(target) ? target : folder;
  });
  return [...new Set([...more.filter(visible), ...folders])].join(delimiter);
}
