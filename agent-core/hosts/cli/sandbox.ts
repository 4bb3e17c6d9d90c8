import { Mode } from '../../contract/index.ts';
import { checkHosts } from './hosts-allowed.ts';
import { defaultPolicy } from '../../workspace/index.ts';
import { UsageError, atMost, readArgs } from './args.ts';
import { guarded } from './guarded.ts';
import { USAGE } from './help.ts';
import { passThrough } from './passthrough.ts';
import { askCore, localWorkspaces, realFolder, workspaceFor } from './workspaces.ts';

export async function run(args: string[]): Promise<number> {
  const split = args.indexOf('--');
  const parsed = readArgs(
    split < 0 ? args : args.slice(0, split),
    {
      cwd: { type: 'string' },
      mode: { type: 'string' },
      'allow-host': { type: 'string', multiple: true },
    },
    USAGE.sandbox,
  );
  const argv = split < 0 ? [] : args.slice(split + 1);
  if (split < 0) throw new UsageError('The command goes after --.', USAGE.sandbox);
  atMost(parsed, 0, USAGE.sandbox);
  if (!argv.length) throw new UsageError('Which command? It goes after --.', USAGE.sandbox);
  const mode = parsed.choice('mode', Mode.options);
  const allow = checkHosts(parsed.list('allow-host'));
  const folder = await realFolder(parsed.text('cwd') ?? '.');
  const workspaces = localWorkspaces();
  try {
    const meta = await workspaceFor(workspaces, folder);
    const open = await workspaces.open(meta.id);
    // What a person did there from outside comes in first, unless a core that works there sees to it.
    if (!(await askCore(meta.id, async () => true))) await open.beginTurn();
    const wanted = mode ?? meta.mode;
    // Full access is for this command alone: the workspace keeps its own mode.
    if (wanted === 'full') return await passThrough((request) => open.runOutside(request), { argv, cwd: folder });
    open.confined.setPolicy({ ...defaultPolicy(wanted), network: { allow } });
    return await guarded(workspaces, open, argv.join(' '), () =>
      passThrough((request) => open.confined.run(request), { argv, cwd: folder }),
    );
  } finally {
    await workspaces.dispose();
  }
}
