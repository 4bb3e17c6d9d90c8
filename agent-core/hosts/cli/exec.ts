import { resolve } from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import { ApprovalPolicy, Failure, Mode, Prompt, type InputOf, type Task } from '../../contract/index.ts';
import type { CoreClient } from '../client.ts';
import { explain } from '../session.ts';
import { UsageError, atMost, exitCodeOf, readArgs } from './args.ts';
import { TaskFeed, type Ending } from './feed.ts';
import { USAGE } from './help.ts';
import { checkHosts } from './hosts-allowed.ts';
import { tellLine } from './human.ts';
import { printJson, say } from './print.ts';
import { endpoint, leave, obtain, onInterrupt } from './session.ts';

const options = {
  json: { type: 'boolean' },
  repo: { type: 'string' },
  base: { type: 'string' },
  mode: { type: 'string' },
  approval: { type: 'string' },
  'in-place': { type: 'boolean' },
  model: { type: 'string' },
  'allow-host': { type: 'string', multiple: true },
} as const;

interface Wish {
  repo: string;
  prompt: string;
  title?: string | undefined;
  base?: string | undefined;
  mode?: Mode | undefined;
  approval?: ApprovalPolicy | undefined;
  model?: string | undefined;
  inPlace?: boolean;
  /** Hosts that the task may reach beside those of its project. */
  hosts: string[];
  origin: 'exec' | 'batch';
}

/** What a person types for the agent. Throws `invalid-input` in the words of the contract. */
export function checkPrompt(prompt: string): string {
  const parsed = Prompt.safeParse(prompt);
  if (!parsed.success) throw explain('prompt', parsed.error);
  return parsed.data;
}

/** Opens the project and creates the task, held. Rejects with the `Failure` of either. */
export async function createTask(client: CoreClient, wish: Wish): Promise<Task> {
  const own = endpoint(process.env);
  const project = await client.call('project/open', { path: resolve(wish.repo) });
  const input: InputOf<'task/create'> = {
    projectId: project.id,
    prompt: wish.prompt,
    start: false,
    origin: wish.origin,
    mode: wish.mode ?? 'workspace',
    approval: wish.approval ?? 'never',
    inPlace: wish.inPlace ?? false,
  };
  if (wish.title) input.title = wish.title;
  if (wish.base) input.base = await readBase(client, project.id, wish.base);
  const model = wish.model ?? (process.env['SIGNALBOX_MODEL'] || undefined);
  if (model) input.model = model;
  if (own && model !== 'demo') input.endpoint = own;
  const task = await client.call('task/create', input);
  if (wish.hosts.length > 0) await client.call('task/grant', { taskId: task.id, add: { hosts: wish.hosts } });
  return task;
}

/** A name that only a remote has is fetched first; local names win. */
async function readBase(client: CoreClient, projectId: Task['projectId'], ref: string): Promise<{ ref: string; kind: 'local' | 'remote' }> {
  const { branches, remoteBranches } = await client.call('project/branches', { projectId });
  return { ref, kind: !branches.includes(ref) && remoteBranches.includes(ref) ? 'remote' : 'local' };
}

/** 0 for a completed turn, else the code of what went wrong. */
export const exitOf = (ending: Ending): number =>
  ending.type === 'turn.completed' ? 0 : ending.error ? failedCode(exitCodeOf(ending.error.code)) : 1;

/** A task that was taken up and failed later is no bad usage, whatever the code. */
const failedCode = (code: number): number => (code === 2 ? 1 : code);

async function readPrompt(words: string[]): Promise<string> {
  const [word] = words;
  if (word === undefined) throw new UsageError('What should be done? Give a PROMPT.', USAGE.exec);
  return checkPrompt(word === '-' ? await readAll(process.stdin) : word);
}

export async function run(args: string[]): Promise<number> {
  const parsed = readArgs(args, options, USAGE.exec);
  atMost(parsed, 1, USAGE.exec);
  const json = parsed.flag('json');
  const mode = parsed.choice('mode', Mode.options);
  const approval = parsed.choice('approval', ApprovalPolicy.options);
  const hosts = checkHosts(parsed.list('allow-host'));
  const prompt = await readPrompt(parsed.positionals);
  const obtained = await obtain();
  let off = (): void => {};
  try {
    const task = await createTask(obtained.client, {
      repo: parsed.text('repo') ?? '.',
      prompt,
      base: parsed.text('base'),
      mode,
      approval,
      model: parsed.text('model'),
      inPlace: parsed.flag('in-place'),
      hosts,
      origin: 'exec',
    });
    const feed = new TaskFeed(obtained.client, task, json ? printJson : (line) => tellLine(line));
    off = onInterrupt(() => {
      say('Stopping …');
      feed.interrupt().catch(() => process.exit(1));
    });
    await feed.start().catch((thrown: unknown) => {
      feed.fail(thrown instanceof Failure ? thrown.detail : { code: 'internal', message: String(thrown) });
    });
    const ending = await feed.ended;
    if (json && ending.type === 'turn.failed') say(`signalbox: ${ending.message}${ending.error?.fix ? `\n  ${ending.error.fix}` : ''}`);
    return exitOf(ending);
  } finally {
    off();
    await leave(obtained);
  }
}
