import { readFile } from 'node:fs/promises';
import { Failure, toAppError, type AppError, type Task } from '../../contract/index.ts';
import type { CoreClient } from '../client.ts';
import { UsageError, atMost, readArgs } from './args.ts';
import { badLine, readBatch, type BatchLine } from './batch-file.ts';
import { createTask, exitOf } from './exec.ts';
import { TaskFeed, type Ending, type Line } from './feed.ts';
import { USAGE } from './help.ts';
import { checkHosts } from './hosts-allowed.ts';
import { tellLine } from './human.ts';
import { printJson, say } from './print.ts';
import { leave, obtain, onInterrupt } from './session.ts';

interface Job {
  line: BatchLine;
  task: Task;
  feed: TaskFeed;
  ending: Ending | null;
  begun: boolean;
}

async function readText(file: string): Promise<string> {
  try {
    return file === '-' ? await (await import('node:stream/consumers')).text(process.stdin) : await readFile(file, 'utf8');
  } catch (thrown) {
    throw new Failure('no-folder', `${file} can't be read: ${thrown instanceof Error ? thrown.message : String(thrown)}.`);
  }
}

/** Looks at every repository and base before anything is made, so that a bad line leaves nothing behind. */
async function checkPlaces(client: CoreClient, lines: BatchLine[]): Promise<void> {
  const { resolve } = await import('node:path');
  const { resolveBase } = await import('../../git/repository.ts');
  for (const line of lines) {
    try {
      const folder = await client.call('project/inspect', { path: resolve(line.repo) });
      if (!line.base || folder.branches.includes(line.base) || folder.remoteBranches.includes(line.base)) continue;
      await resolveBase({ repo: folder.repo, gitDir: '' }, { ref: line.base, kind: 'local' });
    } catch (thrown) {
      const { message, fix } = toAppError(thrown);
      throw badLine(line.number, `${message}${fix ? ` ${fix}` : ''}`);
    }
  }
}

/** Runs jobs, at most `concurrency` at once, each after all that it depends on has completed. */
class Batch {
  readonly #jobs: Job[];
  readonly #concurrency: number;
  #stopping = false;

  constructor(jobs: Job[], concurrency: number) {
    this.#jobs = jobs;
    this.#concurrency = concurrency;
  }

  async run(): Promise<Ending[]> {
    this.#next();
    return Promise.all(this.#jobs.map((job) => job.feed.ended));
  }

  stop(): void {
    this.#stopping = true;
    for (const job of this.#jobs) if (!job.ending) job.feed.interrupt().catch(() => process.exit(1));
  }

  #next(): void {
    for (const job of this.#jobs) {
      if (job.begun || this.#stopping) continue;
      const needs = job.line.dependsOn.map((number) => this.#jobs.find((other) => other.line.number === number)!);
      const broken = needs.find((need) => need.ending && need.ending.type !== 'turn.completed');
      if (broken)
        this.#begin(job, { code: 'conflict', message: `Not started: it depends on line ${broken.line.number}, which did not complete.` });
      else if (needs.every((need) => need.ending) && this.#running < this.#concurrency) this.#begin(job, null);
    }
  }

  get #running(): number {
    return this.#jobs.filter((job) => job.begun && !job.ending).length;
  }

  #begin(job: Job, error: AppError | null): void {
    job.begun = true;
    void job.feed.ended.then((ending) => {
      job.ending = ending;
      this.#next();
    });
    if (error) job.feed.fail(error);
    else job.feed.start().catch((thrown: unknown) => job.feed.fail(toAppError(thrown)));
  }
}

/** Makes all tasks, or none: where one can't be made, those before it leave the board again. */
async function createAll(
  client: CoreClient,
  { lines, hosts }: { lines: BatchLine[]; hosts: string[] },
  emit: (line: Line, label: string) => void,
): Promise<Job[]> {
  const tasks: Task[] = [];
  for (const line of lines) {
    const made = await createTask(client, { ...line, hosts, origin: 'batch' }).catch(async (thrown: unknown) => {
      for (const { id } of tasks)
        await client.call('task/delete', { taskId: id }).then(() => client.call('task/purge', { taskId: id }), ignore);
      throw thrown;
    });
    tasks.push(made);
  }
  return tasks.map((task, index) => {
    const line = lines[index]!;
    const feed = new TaskFeed(client, task, (told) => emit(told, line.title ?? `${line.number}`));
    return { line, task, feed, ending: null, begun: false };
  });
}

const ignore = (): void => {};

export async function run(args: string[]): Promise<number> {
  const parsed = readArgs(
    args,
    { json: { type: 'boolean' }, concurrency: { type: 'string' }, 'allow-host': { type: 'string', multiple: true } },
    USAGE.batch,
  );
  atMost(parsed, 1, USAGE.batch);
  const [file] = parsed.positionals;
  if (file === undefined) throw new UsageError('Which FILE.jsonl?', USAGE.batch);
  const json = parsed.flag('json');
  const concurrency = parsed.number('concurrency', 1, 64);
  const hosts = checkHosts(parsed.list('allow-host'));
  const lines = readBatch(await readText(file), '.');
  const obtained = await obtain();
  let off = (): void => {};
  try {
    const { client } = obtained;
    await checkPlaces(client, lines);
    const jobs = await createAll(client, { lines, hosts }, (line, label) => {
      if (json) printJson(line);
      else tellLine(line, label);
    });
    const batch = new Batch(jobs, concurrency ?? client.board.settings.concurrency);
    off = onInterrupt(() => {
      say('Stopping …');
      batch.stop();
    });
    const endings = await batch.run();
    const completed = endings.filter((ending) => ending.type === 'turn.completed').length;
    if (json) printJson({ type: 'batch.completed', completed, failed: endings.length - completed });
    else say(`${completed} completed, ${endings.length - completed} failed`);
    return exitOfAll(endings);
  } finally {
    off();
    await leave(obtained);
  }
}

/** 0 when all completed; 3 or 4 when that is why every failed one failed; else 1. */
function exitOfAll(endings: Ending[]): number {
  const codes = new Set(endings.filter((ending) => ending.type !== 'turn.completed' && ending.error?.code !== 'conflict').map(exitOf));
  if (!codes.size) return endings.every((ending) => ending.type === 'turn.completed') ? 0 : 1;
  return codes.size === 1 ? [...codes][0]! : 1;
}
