import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { toAppError, type Probe } from '../../contract/index.ts';
import { discover } from '../../git/runner.ts';
import { createSandbox } from '../../sandbox/index.ts';
import { electronBinary, hasDisplay } from '../checkout.ts';
import { prepareHome, resolveHome } from '../home.ts';
import { atMost, readArgs } from './args.ts';
import { USAGE } from './help.ts';
import { print, printJson } from './print.ts';

const has = (name: string, ok: boolean, detail: string, fix: string | null = null): Probe => ({
  name,
  ok,
  kind: 'has',
  detail,
  fix: ok ? null : fix,
});

async function gitProbe(): Promise<Probe> {
  const stdout = await discover('/', ['--version']).then(
    (result) => result.stdout.toString('utf8'),
    () => null,
  );
  if (stdout === null)
    return has('git', false, 'not found on the PATH', 'Install git 2.38 or later: sudo apt install git (macOS: xcode-select --install).');
  const version = /(\d+)\.(\d+)[\d.]*/.exec(stdout) ?? ['', '0', '0'];
  const recent = Number(version[1]) > 2 || (Number(version[1]) === 2 && Number(version[2]) >= 38);
  return has('git', recent, version[0], 'Signalbox needs git 2.38 or later (merge-tree --write-tree). Install a newer one.');
}

function nodeProbe(): Probe {
  const ok = Number(process.versions.node.split('.')[0]) >= 24;
  return has('node', ok, process.versions.node, 'Signalbox needs Node 24: run npm run setup in the checkout.');
}

function sqliteProbe(): Probe {
  try {
    const database = new DatabaseSync(':memory:');
    database.exec(`CREATE VIRTUAL TABLE probe USING fts5(text, tokenize = 'trigram')`);
    const { version } = database.prepare('SELECT sqlite_version() AS version').get() as { version: string };
    database.close();
    return has('sqlite', true, `${version} with FTS5`);
  } catch (thrown) {
    return has('sqlite', false, toAppError(thrown).message, 'This Node has no SQLite with FTS5. Run npm run setup for the pinned one.');
  }
}

function homeProbe(): Probe {
  const home = resolveHome();
  try {
    return has('home', true, prepareHome(home));
  } catch (thrown) {
    const { message, fix } = toAppError(thrown);
    return has('home', false, message, fix ?? null);
  }
}

/** What only decides between the window and the browser is no fault. */
function windowProbe(): Probe {
  const why = !electronBinary() ? 'Electron is not installed' : !hasDisplay(process.env) ? 'no display' : null;
  return has('window', true, why ? `${why}: the app opens in the browser` : 'Electron');
}

function modelProbe(): Probe {
  const { OPENAI_API_KEY: key, OPENAI_BASE_URL: url } = process.env;
  const source = [key && 'OPENAI_API_KEY', url && 'OPENAI_BASE_URL'].filter(Boolean).join(' and ');
  return has('model', true, source ? `from ${source}` : 'none in the environment: a key in Settings, or the offline demo (--model demo)');
}

/** Lines of the self-test, or the one that says why there is no sandbox. */
async function sandboxProbes(): Promise<Probe[]> {
  try {
    return await createSandbox({ stateDir: join(prepareHome(resolveHome()), 'sandbox'), env: process.env }).probes();
  } catch (thrown) {
    const { message, fix } = toAppError(thrown);
    return [{ name: 'sandbox', ok: false, kind: 'works', detail: message, fix: fix ?? null }];
  }
}

const tell = ({ ok, name, detail, fix }: Probe): string =>
  `${ok ? '✓' : '✗'} ${name}${detail ? ` — ${detail}` : ''}${!ok && fix ? `\n    Fix: ${fix}` : ''}`;

/** Exit 0 when all is well, 3 when the sandbox doesn't hold or work, 1 for anything else. */
export async function run(args: string[]): Promise<number> {
  const parsed = readArgs(args, { json: { type: 'boolean' } }, USAGE.doctor);
  atMost(parsed, 0, USAGE.doctor);
  const machine = [nodeProbe(), await gitProbe(), sqliteProbe(), homeProbe(), windowProbe(), modelProbe()];
  const sandbox = await sandboxProbes();
  const probes = [...machine, ...sandbox];
  const ok = probes.every((probe) => probe.ok);
  if (parsed.flag('json')) printJson({ ok, probes });
  else for (const probe of probes) print(tell(probe));
  return ok ? 0 : sandbox.some((probe) => !probe.ok) ? 3 : 1;
}
