import { addressesIn, hostOf } from './hosts.ts';

/** Package managers whose caches and registries are known here. */
export type Tool = 'npm' | 'pnpm' | 'yarn' | 'pip' | 'uv' | 'cargo' | 'go' | 'maven' | 'gradle' | 'bundler' | 'composer';

/** What one file tells: which tools use it, and which hosts it names. `npm:` stands for the registry that `.npmrc` names. */
interface Reader {
  name: RegExp;
  tools: Tool[];
  hosts: (text: string) => string[];
}

export const NPM_DEFAULT = 'npm:';
const PYPI = ['pypi.org:443', 'files.pythonhosted.org:443'];
const CRATES = ['index.crates.io:443', 'static.crates.io:443'];
const CENTRAL = ['repo.maven.apache.org:443'];
const GITHUB = ['github.com:443', 'codeload.github.com:443'];

const found = (addresses: readonly string[]): string[] =>
  addresses.flatMap((address) => {
    const host = hostOf(address);
    return host === 'github.com:443' ? GITHUB : host ? [host] : [];
  });
/** Addresses that follow a word: `resolved "https://…"`, `url = "https://…"`. */
const after = (word: RegExp, text: string): string[] =>
  found(text.split('\n').flatMap((line) => (word.test(line) ? addressesIn(line) : [])));

/** The parts of `package-lock.json` that name a tarball; whatever else stands in it (funding pages) names none. */
function packageLock(text: string): string[] {
  let lock: unknown;
  try {
    lock = JSON.parse(text);
  } catch {
    return [NPM_DEFAULT];
  }
  const addresses: string[] = [];
  const { packages, dependencies } = (lock ?? {}) as { packages?: unknown; dependencies?: unknown };
  // A queue, as a repository may nest them deeper than the stack is.
  const queue: unknown[] = [packages ?? dependencies];
  for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
    if (typeof at !== 'object' || at === null) continue;
    for (const entry of Object.values(at as Record<string, { resolved?: unknown; dependencies?: unknown } | null>)) {
      if (typeof entry?.resolved === 'string')
        addresses.push(entry.resolved.replace(/^git\+ssh:\/\/git@github\.com/, 'https://github.com'));
      if (typeof entry?.dependencies === 'object' && entry.dependencies) queue.push(entry.dependencies);
    }
  }
  const hosts = found(addresses);
  return hosts.length > 0 ? hosts : [NPM_DEFAULT];
}

const gradleRepositories: readonly [RegExp, string[]][] = [
  [/\bmavenCentral\s*\(/, CENTRAL],
  [/\bgoogle\s*\(/, ['dl.google.com:443', 'maven.google.com:443']],
  [/\bgradlePluginPortal\s*\(|\bplugins\s*\{/, ['plugins.gradle.org:443', 'plugins-artifacts.gradle.org:443']],
];

function gradle(text: string): string[] {
  return [...gradleRepositories.flatMap(([word, hosts]) => (word.test(text) ? hosts : [])), ...after(/\burl\b|\bmaven\b|\buri\s*\(/, text)];
}

function wrapper(text: string): string[] {
  const hosts = after(/Url\s*=/, text.replaceAll('\\:', ':'));
  // Gradle's own server sends on to these.
  return hosts.includes('services.gradle.org:443')
    ? [...hosts, 'downloads.gradle.org:443', 'github.com:443', 'release-assets.githubusercontent.com:443']
    : hosts;
}

function maven(text: string): string[] {
  const repositories = text
    .split(/<(?:pluginR|r)epository>/)
    .slice(1)
    .flatMap((part) => part.split(/<\/(?:pluginR|r)epository>/, 2).slice(0, -1));
  return [...CENTRAL, ...found(repositories.flatMap(addressesIn))];
}

function requirements(text: string): string[] {
  const lines = text.split('\n').map((line) => line.replace(/(^|\s)#.*$/, ''));
  const own = lines.filter((line) => /^\s*(?:-i|--index-url)\b/.test(line));
  const rest = lines.filter((line) => !own.includes(line));
  return [
    ...(own.length > 0 ? found(own.flatMap(addressesIn)) : ['pypi.org:443']),
    'files.pythonhosted.org:443',
    ...found(rest.flatMap(addressesIn)),
  ];
}

/** Sources in `Cargo.lock`: the index on GitHub stands for crates.io's sparse one. */
function cargo(text: string): string[] {
  const sources = text.split('\n').filter((line) => line.startsWith('source = '));
  const own = sources.filter((line) => !line.includes('github.com/rust-lang/crates.io-index'));
  return [...(own.length < sources.length ? CRATES : []), ...found(own.flatMap(addressesIn))];
}

const readers: readonly Reader[] = [
  { name: /^(?:package-lock|npm-shrinkwrap)\.json$/, tools: ['npm'], hosts: packageLock },
  { name: /^pnpm-lock\.yaml$/, tools: ['pnpm'], hosts: (text) => [NPM_DEFAULT, ...after(/\btarball:/, text)] },
  {
    name: /^yarn\.lock$/,
    tools: ['yarn'],
    hosts: (text) =>
      // The newer form names no addresses.
      text.includes('__metadata:') ? ['registry.yarnpkg.com:443', ...after(/resolution:/, text)] : after(/^\s+resolved /, text),
  },
  { name: /^bun\.lock$/, tools: ['npm'], hosts: (text) => [NPM_DEFAULT, ...found(addressesIn(text))] },
  { name: /^\.npmrc$/, tools: [], hosts: (text) => after(/(?:^|:)registry\s*=/, text) },
  { name: /^\.yarnrc(?:\.yml)?$/, tools: [], hosts: (text) => after(/registry|npmRegistryServer/i, text) },
  { name: /^requirements[\w.-]*\.txt$/, tools: ['pip'], hosts: requirements },
  { name: /^poetry\.lock$/, tools: ['pip'], hosts: (text) => [...PYPI, ...after(/^url = /, text)] },
  { name: /^pdm\.lock$/, tools: ['pip'], hosts: (text) => [...PYPI, ...after(/\burl = /, text)] },
  { name: /^Pipfile\.lock$/, tools: ['pip'], hosts: (text) => ['files.pythonhosted.org:443', ...after(/"url":/, text)] },
  { name: /^uv\.lock$/, tools: ['uv'], hosts: (text) => after(/\b(?:registry|url|git) = /, text) },
  { name: /^Cargo\.lock$/, tools: ['cargo'], hosts: cargo },
  { name: /^go\.sum$/, tools: ['go'], hosts: () => ['proxy.golang.org:443', 'sum.golang.org:443'] },
  { name: /^Gemfile\.lock$/, tools: ['bundler'], hosts: (text) => bundler(text) },
  {
    name: /^composer\.lock$/,
    tools: ['composer'],
    hosts: (text) => [
      'repo.packagist.org:443',
      ...after(/"url":/, text),
      ...after(/"url":/, text).flatMap((host) => (host === 'api.github.com:443' ? GITHUB : [])),
    ],
  },
  { name: /^pom\.xml$/, tools: ['maven'], hosts: maven },
  { name: /^(?:build|settings)\.gradle(?:\.kts)?$/, tools: ['gradle'], hosts: gradle },
  { name: /^gradle\.lockfile$/, tools: ['gradle'], hosts: () => [] },
  { name: /^(?:gradle|maven)-wrapper\.properties$/, tools: [], hosts: wrapper },
];

function bundler(text: string): string[] {
  const hosts = after(/^\s+remote: /, text);
  return hosts.includes('rubygems.org:443') ? [...hosts, 'index.rubygems.org:443'] : hosts;
}

/** What reads a file of this name (the last part of its path); undefined for any other file. */
export const readerOf = (name: string): Reader | undefined => readers.find((reader) => reader.name.test(name));
