import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure, type Grants, type Project, type Task, type TaskId, type WorkspaceId } from '../contract/index.ts';
import type { OpenWorkspace } from '../workspace/index.ts';
import { personHome } from '../sandbox/index.ts';
import { seedCaches } from '../workspace/recipe/seed.ts';
import { readLockfiles } from '../workspace/recipe/registries.ts';
import { runScript, type ScriptRequest } from '../workspace/recipe/script.ts';
import { getProject, setActivity, taskParts, type Context } from './context.ts';
import { scratchOf } from './recipe-include.ts';
import { ScriptLog } from './recipe-log.ts';

/** Teardown may not hold up a deletion for longer. */
const TEARDOWN_MS = 2 * 60_000;
/** How often the newest line of a script's output is shown on the card. */
const LINE_MS = 250;

/** What was printed last, as one line without colours. */
function lastLine(chunk: Uint8Array): string {
  const text = Buffer.from(chunk.subarray(-2000)).toString('utf8');
  // eslint-disable-next-line no-control-regex
  const plain = text.replaceAll(/\u001B\[[0-9;?]*[ -/]*[@-~]/g, '');
  return (
    plain
      .split(/[\r\n]/)
      .findLast((line) => line.trim() !== '')
      ?.trim()
      .slice(0, 120) ?? ''
  );
}

/** Shows on the card and the task's page what a script does, with the line that it printed last. */
function shows(context: Context, taskId: TaskId, what: 'setup' | 'teardown'): (chunk?: Uint8Array) => void {
  const since = context.now();
  const name = what === 'setup' ? 'Setup script' : 'Teardown script';
  let next = 0;
  return (chunk) => {
    const line = chunk ? lastLine(chunk) : '';
    if (chunk) {
      if (line === '' || context.now() < next) return;
      next = context.now() + LINE_MS;
    }
    setActivity(context, taskId, { verb: 'preparing', subject: line ? `${name}: ${line}` : name, since, progress: null });
  };
}

async function folderOf(open: OpenWorkspace): Promise<string> {
  const there = await stat(open.cwd).then(
    (found) => found.isDirectory(),
    () => false,
  );
  return there ? open.cwd : open.info.path;
}

type Script = Pick<ScriptRequest, 'what' | 'script' | 'limitMs' | 'signal'>;

/** Runs one script with its line in the conversation. Throws `setup-failed` with the end of its output, or the signal's reason. */
async function runLogged(context: Context, taskId: TaskId, open: OpenWorkspace, script: Script): Promise<void> {
  const cwd = await folderOf(open);
  const show = shows(context, taskId, script.what);
  show();
  const log = await ScriptLog.begin(context, taskId, script.what, script.script, cwd);
  const { path, branch, slug } = open.info;
  try {
    const { exitCode, failure } = await runScript(open.confined, {
      ...script,
      cwd,
      modeAfter: () => (open.info.mode === 'full' ? 'workspace' : open.info.mode),
      env: { SIGNALBOX_WORKTREE: path, SIGNALBOX_BRANCH: branch.replace('refs/heads/', ''), SIGNALBOX_NAME: slug },
      onOutput: (chunk) => {
        log.add(chunk);
        show(chunk);
      },
    });
    await log.end(failure ? 'failed' : 'completed', exitCode);
    if (failure) throw new Failure('setup-failed', failure.message, { ...failure.detail, output: log.tail });
  } catch (error) {
    if (!(error instanceof Failure && error.detail.code === 'setup-failed'))
      await log.end(script.signal.aborted ? 'interrupted' : 'failed', null).catch(() => {
        /* the next start closes it */
      });
    throw error;
  }
}

/** Whether a new worktree of this task is set up: not the person's own checkout, which they keep as they like. */
const isSetUp = (task: Task, project: Project): boolean => !task.inPlace && (project.recipe?.setup ?? '').trim() !== '';

/** What setup may reach: the registries that the base's lockfiles name, as far as the person allowed them for the project. */
async function registriesFor(context: Context, task: Task, project: Project, baseCommit: string, signal: AbortSignal): Promise<Grants> {
  const { registries } = await readLockfiles(project, baseCommit);
  const since = context.now();
  const allowed = await context.registries.allowed(task, registries, signal, (hosts) =>
    setActivity(context, task.id, { verb: 'waiting', subject: hosts.join(', '), since, progress: null }),
  );
  const hosts = (near: boolean): string[] => allowed.filter((registry) => registry.near === near).map(({ host }) => host);
  return { hosts: hosts(false), services: hosts(true) };
}

/** Brings what the person's package caches hold of the base's packages into the project's own. */
async function seed(context: Context, task: Task, project: Project, baseCommit: string, signal: AbortSignal): Promise<void> {
  const own = personHome(context.options.env);
  if (own === null || task.inPlace) return;
  const { tools, paths } = await readLockfiles(project, baseCommit);
  if (tools.length === 0) return;
  setActivity(context, task.id, { verb: 'preparing', subject: 'package caches', since: context.now(), progress: null });
  await seedCaches({
    place: project,
    commit: baseCommit,
    lockfiles: paths,
    tools,
    personHome: own,
    folder: join(context.options.home, 'caches', project.id),
    scratch: scratchOf(context),
    signal,
  });
}

/**
 * Gives a worktree that was just checked out what the project's recipe says, before its first turn. Resolves with how
 * it came out, undefined where there is nothing to do. Can be asked again after a crash: the script is run anew.
 * Throws `setup-failed`, or the signal's reason; then the workspace has to be closed, with what the script left running.
 */
export async function setUp(
  context: Context,
  taskId: TaskId,
  { id, baseCommit }: { id: WorkspaceId; baseCommit: string },
  signal: AbortSignal,
): Promise<'done' | 'skipped' | undefined> {
  const { task, workspace } = taskParts(context, taskId);
  const project = getProject(context, task.projectId);
  if (workspace?.setup === 'done' || workspace?.setup === 'skipped') return workspace.setup;
  await seed(context, task, project, baseCommit, signal);
  if (!isSetUp(task, project)) return undefined;
  const { setup, setupMinutes } = project.recipe!;
  const network = await registriesFor(context, task, project, baseCommit, signal);
  await context.rest.during(taskId, async () => {
    const open = await context.workspaces.open(id);
    const script: Script = { what: 'setup', script: setup, limitMs: setupMinutes * 60_000, signal };
    await context.network.lend(taskId, network, () => runLogged(context, taskId, open, script));
  });
  return 'done';
}

/**
 * Runs the recipe's teardown before a worktree goes to the trash. Bounded, and never in the way: what
 * goes wrong stands in the conversation.
 */
export async function tearDown(context: Context, taskId: TaskId): Promise<void> {
  const { task, workspace, project } = taskParts(context, taskId);
  const script = project.recipe?.teardown ?? '';
  if (task.inPlace || script.trim() === '' || !workspace || workspace.setup === 'undone') return;
  try {
    if ((await context.workspaces.read(workspace.id))?.phase !== 'ready') return;
    await context.rest.during(taskId, async () =>
      runLogged(context, taskId, await context.workspaces.open(workspace.id), {
        what: 'teardown',
        script,
        limitMs: TEARDOWN_MS,
        signal: context.closing.signal,
      }),
    );
  } catch (error) {
    if (!(error instanceof Failure)) context.log(`teardown of ${taskId}`, error);
  } finally {
    setActivity(context, taskId, null);
  }
  const now = context.store.board.workspaces[workspace.id];
  if (now) await context.store.commit({ events: [{ type: 'workspace.changed', workspace: { ...now, setup: 'undone' } }] });
}
