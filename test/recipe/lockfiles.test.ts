import { expect, test } from 'vitest';
import { hostOf, isNear } from '../../agent-core/workspace/recipe/hosts.ts';
import { readerOf } from '../../agent-core/workspace/recipe/lockfiles.ts';

const hosts = (name: string, text: string): string[] => [...new Set(readerOf(name)!.hosts(text))].toSorted();

test('a host is read from an address without its credentials; what is no web address names none', () => {
  expect(hostOf('https://user:secret@npm.example.com/a/-/a-1.tgz')).toBe('npm.example.com:443');
  expect(hostOf('git+https://GitHub.com/a/b.git#1234')).toBe('github.com:443');
  expect(hostOf('sparse+https://crates.example.com:8443/index/')).toBe('crates.example.com:8443');
  expect(hostOf('http://[::1]:4873/a')).toBe('[::1]:4873');
  for (const none of ['file:../x', 'git+ssh://git@github.com/a/b', 'https://', 'workspace:*', '']) expect(hostOf(none)).toBeNull();
});

test('hosts of this computer and of the private network are told apart by name', () => {
  expect(['localhost:4873', '127.0.0.1:80', '10.1.2.3:443', 'npm.corp:443', 'nexus.internal:443', '[::1]:80'].map(isNear)).not.toContain(
    false,
  );
  expect(['registry.npmjs.org:443', '8.8.8.8:443', 'internal.example.com:443'].map(isNear)).not.toContain(true);
});

test.each<[string, string, string[]]>([
  [
    'package-lock.json',
    JSON.stringify({
      lockfileVersion: 3,
      packages: {
        '': { name: 'x' },
        'node_modules/a': { resolved: 'https://registry.npmjs.org/a/-/a-1.0.0.tgz', funding: { url: 'https://money.example' } },
        'node_modules/b': { resolved: 'git+ssh://git@github.com/b/b.git#aa' },
        'node_modules/c': { link: true, resolved: '../c' },
      },
    }),
    ['codeload.github.com:443', 'github.com:443', 'registry.npmjs.org:443'],
  ],
  [
    'package-lock.json',
    JSON.stringify({
      lockfileVersion: 1,
      dependencies: { a: { resolved: 'http://127.0.0.1:4873/a.tgz', dependencies: { b: { resolved: 'https://b.example/b.tgz' } } } },
    }),
    ['127.0.0.1:4873', 'b.example:443'],
  ],
  ['npm-shrinkwrap.json', '{"lockfileVersion":3,"packages":{"node_modules/a":{"version":"1.0.0"}}}', ['npm:']],
  [
    'pnpm-lock.yaml',
    "lockfileVersion: '9.0'\n  a@1:\n    resolution: {tarball: https://codeload.github.com/a/a/tar.gz/1, integrity: x}\n",
    ['codeload.github.com:443', 'npm:'],
  ],
  ['yarn.lock', '"a@^1":\n  version "1.0.0"\n  resolved "https://registry.yarnpkg.com/a/-/a-1.0.0.tgz#aa"\n', ['registry.yarnpkg.com:443']],
  ['yarn.lock', '__metadata:\n  version: 8\n"a@npm:^1":\n  resolution: "a@npm:1.0.0"\n', ['registry.yarnpkg.com:443']],
  [
    '.npmrc',
    '# https://comment.example\nregistry=https://npm.example.com/\n@corp:registry = http://nexus.corp:8081/npm/\n//npm.example.com/:_authToken=x\n',
    ['nexus.corp:8081', 'npm.example.com:443'],
  ],
  [
    'requirements-dev.txt',
    'flask==3 # https://comment.example\n--extra-index-url https://pypi.example.com/simple\ngit+https://github.com/a/b@1\n',
    ['codeload.github.com:443', 'files.pythonhosted.org:443', 'github.com:443', 'pypi.example.com:443', 'pypi.org:443'],
  ],
  ['requirements.txt', '--index-url http://127.0.0.1:3141/simple\nflask\n', ['127.0.0.1:3141', 'files.pythonhosted.org:443']],
  [
    'poetry.lock',
    '[[package]]\nname = "a"\n[package.source]\ntype = "legacy"\nurl = "https://pypi.corp/simple"\n',
    ['files.pythonhosted.org:443', 'pypi.corp:443', 'pypi.org:443'],
  ],
  [
    'uv.lock',
    'source = { registry = "https://pypi.org/simple" }\nsdist = { url = "https://files.pythonhosted.org/a.tar.gz" }\n',
    ['files.pythonhosted.org:443', 'pypi.org:443'],
  ],
  [
    'Cargo.lock',
    '[[package]]\nname = "a"\nsource = "registry+https://github.com/rust-lang/crates.io-index"\n',
    ['index.crates.io:443', 'static.crates.io:443'],
  ],
  [
    'Cargo.lock',
    'source = "sparse+https://crates.example/index/"\nsource = "git+https://github.com/a/b?rev=1#1"\n',
    ['codeload.github.com:443', 'crates.example:443', 'github.com:443'],
  ],
  ['go.sum', 'github.com/a/b v1.0.0 h1:x=\n', ['proxy.golang.org:443', 'sum.golang.org:443']],
  ['Gemfile.lock', 'GEM\n  remote: https://rubygems.org/\n  specs:\n    a (1.0)\n', ['index.rubygems.org:443', 'rubygems.org:443']],
  [
    'build.gradle.kts',
    'repositories { mavenCentral(); maven { url = uri("https://maven.example.com/r") } }\n',
    ['maven.example.com:443', 'repo.maven.apache.org:443'],
  ],
  [
    'gradle-wrapper.properties',
    'distributionUrl=https\\://services.gradle.org/distributions/gradle-9-bin.zip\n',
    ['downloads.gradle.org:443', 'github.com:443', 'release-assets.githubusercontent.com:443', 'services.gradle.org:443'],
  ],
  [
    'pom.xml',
    '<project><url>https://home.example</url><repositories><repository><url>https://maven.corp/r</url></repository></repositories></project>',
    ['maven.corp:443', 'repo.maven.apache.org:443'],
  ],
])('%s names its registries', (name, text, named) => {
  expect(hosts(name, text)).toEqual(named);
});

test('a lockfile that is spoilt names the usual registry, and nothing throws', () => {
  expect(hosts('package-lock.json', '{"packages": null}')).toEqual(['npm:']);
  expect(hosts('package-lock.json', '<<<<<<< HEAD')).toEqual(['npm:']);
  expect(hosts('package-lock.json', '{"packages":{"a":null,"b":{"resolved":7}}}')).toEqual(['npm:']);
  for (const name of ['yarn.lock', 'uv.lock', 'Cargo.lock', 'pom.xml', 'composer.lock', 'Pipfile.lock']) hosts(name, '\0{"');
});

test('files of other names are not read', () => {
  for (const name of ['package.json', 'lock.json', 'my-package-lock.json', 'README.md']) expect(readerOf(name)).toBeUndefined();
});

test('no text of a repository keeps the core busy, or breaks what reads it', () => {
  const before = performance.now();
  hosts('bun.lock', 'a'.repeat(4_000_000));
  hosts('pom.xml', '<repository>'.repeat(400_000));
  const deep = `{"dependencies":${'{"a":{"dependencies":'.repeat(50_000)}{"b":{"resolved":"https://deep.example/b.tgz"}}${'}}'.repeat(50_000)}}`;
  expect(hosts('package-lock.json', deep)).toEqual(['deep.example:443']);
  expect(hosts('package-lock.json', 'null')).toEqual(['npm:']);
  expect(performance.now() - before).toBeLessThan(20_000);
});

test('a host that would be more than one host is none', () => {
  for (const none of ['https://*.amazonaws.com/a.tgz', 'https://a!b.example/', 'https://a,b.example/']) expect(hostOf(none)).toBeNull();
});
