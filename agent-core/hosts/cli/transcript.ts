import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Failure, type Task, type TranscriptFormat } from '../../contract/index.ts';
import type { CoreClient } from '../client.ts';
import { atMost, readArgs, UsageError } from './args.ts';
import { USAGE } from './help.ts';
import { print, printJson } from './print.ts';
import { leave, obtain } from './session.ts';

/** A task by its id, or by its title or branch where only one has it. */
function findTask(client: CoreClient, name: string): Task {
  const { tasks, workspaces, attempts } = client.board;
  if (tasks[name]) return tasks[name];
  const branchOf = (task: Task): string => (task.attempt && workspaces[attempts[task.attempt]?.workspaceId ?? '']?.branch) || '';
  const found = Object.values(tasks).filter(
    (task) => task.title === name || branchOf(task) === name || branchOf(task) === `signalbox/${name}`,
  );
  if (found.length === 1) return found[0]!;
  throw new Failure('invalid-input', found.length ? `${found.length} tasks are named “${name}”.` : `There is no task “${name}”.`, {
    fix: 'Name the task by its id or its branch.',
  });
}

async function exportTask(client: CoreClient, name: string, format: TranscriptFormat, file: string | undefined): Promise<void> {
  const { attempt } = findTask(client, name);
  const threadId = attempt && client.board.attempts[attempt]?.threadId;
  if (!threadId) throw new Failure('not-found', `“${name}” has no conversation.`);
  const handle =
    file === undefined
      ? null
      : await open(resolve(file), 'wx').catch((error: NodeJS.ErrnoException) => {
          const why = error.code === 'EEXIST' ? 'is there already' : `can’t be written: ${error.message}`;
          throw new Failure('invalid-input', `${file} ${why}.`, { fix: 'Name another file.' });
        });
  try {
    for (let from: string | null = ''; from !== null;) {
      const part: { text: string; next: string | null } = await client.call('thread/export', { threadId, format, from });
      if (handle) await handle.write(part.text);
      else if (part.text) print(part.text.replace(/\n$/, ''));
      from = part.next;
    }
  } finally {
    await handle?.close();
  }
}

/** `signalbox transcript export|import`: a conversation to a file without its secrets, and back as a new task. */
export async function run(args: string[]): Promise<number> {
  const options = {
    format: { type: 'string' },
    output: { type: 'string', short: 'o' },
    repo: { type: 'string' },
    json: { type: 'boolean' },
  } as const;
  const parsed = readArgs(args, options, USAGE.transcript);
  atMost(parsed, 2, USAGE.transcript);
  const [verb, name] = parsed.positionals;
  if ((verb !== 'export' && verb !== 'import') || name === undefined)
    throw new UsageError('Say what to export or import.', USAGE.transcript);
  const format = parsed.choice('format', ['markdown', 'jsonl']) ?? 'markdown';
  const obtained = await obtain();
  try {
    const { client } = obtained;
    if (verb === 'export') await exportTask(client, name, format, parsed.text('output'));
    else {
      const project = await client.call('project/open', { path: resolve(parsed.text('repo') ?? '.') });
      const task = await client.call('thread/import', { projectId: project.id, path: resolve(name) });
      if (parsed.flag('json')) printJson({ task: task.id, title: task.title });
      else print(`“${task.title}” (${task.id})`);
    }
    return 0;
  } finally {
    await leave(obtained);
  }
}
