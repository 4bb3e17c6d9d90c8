import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { upToDate } from '../../scripts/lib/dependencies.mjs';
import { root } from '../../scripts/lib/run.mjs';

const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const json = (path: string): Record<string, unknown> => JSON.parse(read(path)) as Record<string, unknown>;
const tracked = (): string[] =>
  execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' })
    .split('\0')
    .filter((path) => path !== '' && existsSync(join(root, path)));

describe('package.json', () => {
  it('pins every dependency exactly', () => {
    for (const group of ['dependencies', 'devDependencies', 'optionalDependencies']) {
      for (const [name, version] of Object.entries(json('package.json')[group] as Record<string, string>)) {
        expect(version, name).toMatch(/^\d+\.\d+\.\d+(-[\w.]+)?$/);
      }
    }
  });

  it('pins one Node for every platform that has it', () => {
    const versions = new Set(
      Object.entries(json('package.json')['optionalDependencies'] as Record<string, string>).map(([, version]) => version),
    );
    expect([...versions]).toHaveLength(1);
    expect([...versions][0]).toBe(process.versions.node);
  });

  it('has a lock file that npm ci takes: with the packages of every platform', () => {
    const { packages } = json('package-lock.json') as { packages: Record<string, { optionalDependencies?: Record<string, string> }> };
    const missing = Object.entries(packages).flatMap(([path, entry]) =>
      Object.keys(entry.optionalDependencies ?? {}).filter((name) => {
        const own = path === '' ? '' : `${path}/`;
        return !packages[`node_modules/${name}`] && !packages[`${own}node_modules/${name}`];
      }),
    );
    expect(missing).toEqual([]);
  });

  it('names scripts and programs that exist', () => {
    const { scripts, bin } = json('package.json') as { scripts: Record<string, string>; bin: Record<string, string> };
    for (const command of Object.values(scripts)) {
      const file = /^node (scripts\/\S+)/.exec(command)?.[1];
      if (file) expect(existsSync(join(root, file)), file).toBe(true);
    }
    for (const file of Object.values(bin)) expect(existsSync(join(root, file)), file).toBe(true);
  });
});

describe('what is committed', () => {
  it('holds no path of one machine and no secret', () => {
    const mine = ['test/repo/checkout.test.ts'];
    const bad: [string, RegExp][] = [
      ['a path of one machine', /\/work\/(main|shared)\b|\/home\/(?!you\b|me\b|user\b|ada\b|person\b|someone\b)[a-z]+\/[a-z]+/],
      ['a key', /\bsk-(proj-)?[A-Za-z0-9]{24,}|\bghp_[A-Za-z0-9]{30,}|\bAKIA[0-9A-Z]{16}\b|-----BEGIN [A-Z ]*PRIVATE KEY-----/],
    ];
    const found: string[] = [];
    for (const path of tracked()) {
      if (mine.includes(path) || /\.(png|ico|woff2)$/.test(path)) continue;
      const text = read(path);
      for (const [what, pattern] of bad) if (pattern.test(text)) found.push(`${path}: ${what} (${pattern.exec(text)?.[0] ?? ''})`);
    }
    expect(found).toEqual([]);
  });

  it('holds nothing that is built or installed', () => {
    expect(tracked().filter((path) => /^(dist|node_modules|release)\//.test(path))).toEqual([]);
  });
});

describe('the documents', () => {
  const docs = ['README.md', 'CONTRIBUTING.md', 'AGENTS.md', 'ARCHITECTURE.md', 'GLOSSARY.md', 'CHANGELOG.md'];

  it('name commands that exist', () => {
    const { scripts } = json('package.json') as { scripts: Record<string, string> };
    for (const doc of docs) {
      for (const [, name] of read(doc).matchAll(/\bnpm run ([a-z:]+)/g))
        expect(Object.keys(scripts), `${doc}: npm run ${name}`).toContain(name);
      for (const [, name] of read(doc).matchAll(/\bnpm (start|test)\b/g)) expect(Object.keys(scripts)).toContain(name);
    }
  });

  it('link to files that exist', () => {
    for (const doc of docs) {
      for (const [, link = ''] of read(doc).matchAll(/\]\(([^)#:]+)\)/g))
        expect(existsSync(join(root, link)), `${doc} → ${link}`).toBe(true);
    }
  });

  it('name folders that exist', () => {
    for (const doc of ['ARCHITECTURE.md', 'AGENTS.md']) {
      for (const [, path = ''] of read(doc).matchAll(/`((?:agent-core|electron|renderer|scripts|test|bench)\/[\w./-]*)`/g)) {
        expect(existsSync(join(root, path)), `${doc} → ${path}`).toBe(true);
      }
    }
  });

  it('come under Apache-2.0, in full', () => {
    expect(read('LICENSE')).toContain('Apache License');
    expect(read('LICENSE')).toContain('END OF TERMS AND CONDITIONS');
    expect(json('package.json')['license']).toBe('Apache-2.0');
  });
});

describe('packaging', () => {
  // The YAML parser of electron-builder itself, so that the file means here what it means there.
  const ofBuilder = createRequire(createRequire(import.meta.url).resolve('app-builder-lib'));
  const { load } = ofBuilder('js-yaml') as { load(text: string): unknown };
  const config = load(read('electron-builder.yml')) as Record<string, Record<string, unknown>>;

  const valid = (value: unknown): string[] => {
    const ajv = new Ajv({ strict: false, allErrors: true });
    const validate = ajv.compile(json('node_modules/app-builder-lib/scheme.json'));
    return validate(value) ? [] : (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message ?? ''}`);
  };

  it('is what electron-builder’s own schema takes', () => {
    expect(valid(config)).toEqual([]);
    expect(valid({ ...config, linux: { target: 'AppImage', nonsense: true } })).not.toEqual([]);
  });

  it('makes AppImage and deb, dmg for both processors, and nsis', () => {
    const targets = (platform: string) =>
      (config[platform]?.['target'] as { target: string; arch: string[] }[]).map(({ target, arch }) => `${target} ${arch.join('+')}`);
    expect(targets('linux')).toEqual(['AppImage x64+arm64', 'deb x64+arm64']);
    expect(targets('mac')).toEqual(['dmg x64+arm64']);
    expect(targets('win')).toEqual(['nsis x64']);
  });

  it('leaves the native terminal package outside the archive, and Electron’s back doors shut', () => {
    expect(config['asarUnpack']).toContain('node_modules/node-pty/**/*');
    expect(config['electronFuses']).toMatchObject({
      runAsNode: false,
      enableNodeOptionsEnvironmentVariable: false,
      onlyLoadAppFromAsar: true,
    });
  });
});

describe('the menu of the window', () => {
  it('names actions of the page’s registry', () => {
    const actions = readdirSync(join(root, 'renderer/actions'))
      .map((file) => read(`renderer/actions/${file}`))
      .join('\n');
    const named = [...read('electron/main/menu.ts').matchAll(/action: '([\w.]+)'/g)].map(([, action]) => action);
    expect(named.length).toBeGreaterThan(2);
    for (const action of named) expect(actions, action).toContain(`id: '${action}'`);
  });
});

describe('set-up', () => {
  const lock = { packages: { '': {}, 'node_modules/a': { version: '1.0.0' }, 'node_modules/b': { version: '2.0.0', optional: true } } };

  it('installs again when something is missing or of another version', () => {
    expect(upToDate(lock, lock)).toBe(true);
    expect(upToDate(lock, null)).toBe(false);
    expect(upToDate(lock, { packages: { 'node_modules/b': { version: '2.0.0' } } })).toBe(false);
    expect(upToDate(lock, { packages: { ...lock.packages, 'node_modules/a': { version: '1.0.1' } } })).toBe(false);
  });

  it('leaves packages of other platforms alone', () => {
    expect(upToDate(lock, { packages: { 'node_modules/a': { version: '1.0.0' } } })).toBe(true);
  });

  it('is what the build machine runs: npm test and nothing more', () => {
    const commands = read('.ci/run')
      .split('\n')
      .filter((line) => /^\s*[^#\s]/.test(line));
    expect(commands).toEqual(['set -euo pipefail', 'cd "$(dirname "$0")/.."', 'npm test']);
  });
});
