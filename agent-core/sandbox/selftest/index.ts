import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../../contract/errors.ts';
import { SandboxStatus, type Probe } from '../../contract/settings.ts';
import type { SandboxDriver } from '../types.ts';
import { namespaceFix, partProbes } from './obstacle.ts';
import { trial } from './trial.ts';

export interface SelfTestOptions {
  driver: SandboxDriver;
  /** What the first machine waits for once, and the self-test's time doesn't count: the login environment. */
  prepare: () => Promise<unknown>;
  stateDir: string;
  find: (name: string) => string | null;
  /** What the result depends on besides this boot: PATH, HOME. */
  env: NodeJS.ProcessEnv;
}

/** Rises when the probes or the fence change, so that an old result is not believed. */
const VERSION = 2;

function key(options: SelfTestOptions, parts: Probe[]): string {
  let boot = '';
  try {
    boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    /* no cache across boots */
  }
  const from = [VERSION, boot, process.getuid?.(), options.env['PATH'], options.env['HOME'], ...parts.map((part) => part.detail)];
  return createHash('sha256').update(JSON.stringify(from)).digest('hex');
}

function cached(path: string, wanted: string): SandboxStatus | null {
  try {
    const { key: found, status } = JSON.parse(readFileSync(path, 'utf8')) as { key?: unknown; status?: unknown };
    const parsed = SandboxStatus.safeParse(status);
    return found === wanted && parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

const driverName = (parts: Probe[]) => {
  const version = parts.find((part) => part.name === 'bubblewrap' && part.ok)?.detail.split(' ')[0];
  return version ? `bubblewrap ${version} with seccomp` : 'none';
};

const confines = (probes: Probe[]) => probes.every((probe) => probe.ok || probe.kind === 'works');

async function fresh(options: SelfTestOptions, parts: Probe[]): Promise<SandboxStatus> {
  let started = performance.now();
  const done = (state: SandboxStatus['state'], probes: Probe[]): SandboxStatus => ({
    state,
    driver: driverName(parts),
    probes,
    ms: Math.round(performance.now() - started),
  });
  if (parts.some((part) => !part.ok))
    return done(
      'unavailable',
      parts.filter((part) => !part.ok),
    );
  try {
    await options.prepare();
    started = performance.now();
    const probes = await trial(options.driver, join(options.stateDir, 'self-test'));
    return done(confines(probes) ? 'confined' : 'unavailable', probes);
  } catch (error) {
    const detail = error instanceof Failure ? [error.detail.message, error.detail.output].filter(Boolean).join('\n') : String(error);
    return done('unavailable', [{ name: 'Sandbox', ok: false, kind: 'has', detail, fix: namespaceFix() }]);
  }
}

/** The self-test: under a second, cached for this boot once it passed. Anything but `confined` is asked anew each time. */
export async function selfTest(options: SelfTestOptions): Promise<SandboxStatus> {
  const parts = partProbes(options.find);
  const path = join(options.stateDir, 'self-test.json');
  const wanted = key(options, parts);
  const known = cached(path, wanted);
  if (known) return known;
  const status = await fresh(options, parts);
  if (status.state === 'confined' && status.probes.every((probe) => probe.ok)) {
    mkdirSync(options.stateDir, { recursive: true, mode: 0o700 });
    writeFileSync(`${path}.${process.pid}`, JSON.stringify({ key: wanted, status }), { mode: 0o600 });
    renameSync(`${path}.${process.pid}`, path);
  }
  return status;
}

/** Parts and probes, never from the cache. */
export async function doctorProbes(options: SelfTestOptions): Promise<Probe[]> {
  const parts = partProbes(options.find);
  const status = await fresh(options, parts);
  return [...parts, ...status.probes.filter((probe) => !parts.some((part) => part.name === probe.name))];
}
