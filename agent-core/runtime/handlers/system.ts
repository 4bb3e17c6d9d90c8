import { access, constants, mkdir, realpath } from 'node:fs/promises';
import { homedir, userInfo } from 'node:os';
import { isAbsolute } from 'node:path';
import { Failure, WIRE_VERSION, type Handlers, type Snapshot } from '../../contract/index.ts';
import { VERSION } from '../../support/version.ts';
import type { Client } from '../api.ts';
import type { Context } from '../context.ts';
import { checkUrl } from './models.ts';

type Part = Pick<Handlers<Client>, 'initialize' | 'snapshot' | 'settings/write' | 'system/selftest' | 'system/doctor'>;

/** Everything a client starts from, as it is on disk. */
export function snapshotOf(context: Context): Snapshot {
  const { board, seq } = context.store.durable;
  return {
    seq,
    board,
    activity: Object.fromEntries(context.activity),
    sandbox: context.sandboxStatus,
    host: {
      kind: context.options.host,
      home: context.options.home,
      user: userInfo().username,
      platform: process.platform,
      version: VERSION,
      openOn: context.options.openOn,
    },
  };
}

export async function runSelfTest(context: Context): Promise<Snapshot['sandbox']> {
  context.sandboxStatus = await context.sandbox.selfTest();
  context.transients.emit({ type: 'sandbox', status: context.sandboxStatus });
  return context.sandboxStatus;
}

export function systemHandlers(context: Context): Part {
  return {
    initialize: async ({ version }) => {
      if (version !== WIRE_VERSION) {
        throw new Failure('unsupported-version', `This window speaks version ${version}, the core ${WIRE_VERSION}.`, {
          fix: 'Reload the window, or restart Signalbox.',
        });
      }
      return snapshotOf(context);
    },
    snapshot: async () => snapshotOf(context),
    'settings/write': async ({ change, key }) => {
      if (change.baseUrl) checkUrl(change.baseUrl);
      if (change.worktreeRoot !== undefined) change = { ...change, worktreeRoot: await checkRoot(change.worktreeRoot) };
      if (key !== undefined) await context.models.setKey(key.trim());
      const settings = context.models.derive({ ...context.store.board.settings, ...change });
      await context.store.commit({ events: [{ type: 'settings.changed', settings }] });
      return settings;
    },
    'system/selftest': () => runSelfTest(context),
    'system/doctor': async () => {
      const probes = await context.sandbox.probes();
      return { probes, ok: probes.every((probe) => probe.ok) };
    },
  };
}

/** Where new worktrees go: made and tried now, so that a wrong one is told here and not by each task. */
async function checkRoot(text: string | null): Promise<string | null> {
  const path = text?.trim().replace(/^~(?=\/|$)/, homedir());
  if (!path) return null;
  if (!isAbsolute(path))
    throw new Failure('invalid-input', `“${text}” is no absolute path.`, {
      fix: 'Begin it with / or ~, or leave it empty for the usual place.',
    });
  try {
    await mkdir(path, { recursive: true });
    await access(path, constants.W_OK | constants.X_OK);
    return await realpath(path);
  } catch (error) {
    throw new Failure('invalid-input', `Worktrees can’t be made in ${path}: ${error instanceof Error ? error.message : String(error)}.`, {
      fix: 'Choose a folder that you may write.',
    });
  }
}
