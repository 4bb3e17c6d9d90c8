import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root, runTool } from './lib/run.mjs';
import { fingerprint, isFresh, stamp } from './lib/stamp.mjs';

/**
 * What is packaged, and what a window needs in a checkout too:
 * dist/core      the core and the command line, one file each
 * dist/electron  main, preload and the core process
 * dist/renderer  the page
 */
const ours = ['package-lock.json', 'scripts/build.mjs'];

/** What stays outside the bundles: Electron itself, and node-pty, which is native. */
const external = ['electron', 'node-pty'];

/** A bundle of ES modules still needs `require` for the packages that are CommonJS inside. */
const banner = {
  js: "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);",
};

/** @type {import('esbuild').BuildOptions} */
const common = { bundle: true, platform: 'node', target: 'node24', external, sourcemap: true, logLevel: 'warning', absWorkingDir: root };
/** @type {import('esbuild').BuildOptions} */
const esm = { ...common, format: 'esm', outExtension: { '.js': '.mjs' }, banner };

async function esbuild(/** @type {import('esbuild').BuildOptions[]} */ jobs) {
  const { build: bundle } = await import('esbuild');
  for (const job of jobs) await bundle(job);
  return 0;
}

const parts = [
  {
    folder: 'dist/core',
    inputs: ['agent-core', 'bin', ...ours],
    make: () =>
      esbuild([
        { ...esm, entryPoints: { core: 'agent-core/core.ts', cli: 'agent-core/hosts/cli/main.ts' }, outdir: 'dist/core', splitting: true },
      ]),
  },
  {
    folder: 'dist/electron',
    inputs: ['electron', 'agent-core', ...ours],
    make: () =>
      esbuild([
        {
          ...esm,
          entryPoints: { main: 'electron/main/main.ts', 'core-process': 'electron/core-process/main.ts' },
          outdir: 'dist/electron',
        },
        // A sandboxed preload is CommonJS and may import nothing but electron.
        {
          ...common,
          format: 'cjs',
          entryPoints: { preload: 'electron/preload/preload.ts' },
          outdir: 'dist/electron',
          outExtension: { '.js': '.cjs' },
        },
      ]),
  },
  {
    folder: 'dist/renderer',
    inputs: ['renderer', 'agent-core/contract', ...ours],
    make: () => runTool('node_modules/vite/bin/vite.js', ['build', '--config', 'renderer/vite.config.ts', '--logLevel', 'warn']),
  },
];

/**
 * @param {{ force: boolean, only?: string[] }} options `force` builds even what is fresh; `only` names folders
 * @returns {Promise<{ failed: string[] }>} the steps that failed; each has printed why
 */
export async function build({ force, only }) {
  const failed = [];
  for (const part of parts) {
    if (only && !only.includes(part.folder)) continue;
    if (!force && isFresh(part.folder, part.inputs)) continue;
    const print = fingerprint(part.inputs);
    rmSync(join(root, part.folder), { recursive: true, force: true });
    console.log(`Building ${part.folder} …`);
    const code = await part.make().catch(
      (/** @type {unknown} */ error) =>
        (console.error(error instanceof Error ? error.message : error), 1),
    );
    if (code === 0) stamp(part.folder, print);
    else failed.push(`building ${part.folder}`);
  }
  return { failed };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const only = process.argv.slice(2).filter((arg) => arg.startsWith('dist/'));
  const { failed } = await build({ force: !process.argv.includes('--stale'), ...(only.length > 0 ? { only } : {}) });
  process.exit(failed.length === 0 ? 0 : 1);
}
