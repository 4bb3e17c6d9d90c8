import { threadOf, type ProjectId, type Task, type TranscriptFormat } from '../../agent-core/contract/index.ts';
import { openTask } from '../state/route.ts';
import { core, rpc } from '../state/store.ts';
import { openLayer, toast } from '../state/ui.ts';
import { attempt, type Action, type ActionContext } from './registry.ts';

/** Reads a task's transcript part by part and hands it over as a file. Throws `Failure`. */
async function save(task: Task, format: TranscriptFormat): Promise<void> {
  const { board } = core.getState();
  const thread = board && threadOf(board, task);
  if (!thread) return;
  const parts: string[] = [];
  let name = '';
  for (let from: string | null = ''; from !== null;) {
    const part: { name: string; text: string; next: string | null } = await rpc().call('thread/export', {
      threadId: thread.id,
      format,
      from,
    });
    parts.push(part.text);
    ({ name, next: from } = part);
  }
  const url = URL.createObjectURL(new Blob(parts, { type: format === 'markdown' ? 'text/markdown' : 'application/jsonl' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The download has its own hold on the data once it has begun.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
  toast(`Saved as ${name}, without secrets`);
}

/** Asks for a file and makes a task of it. */
function choose(projectId: ProjectId): void {
  const input = document.createElement('input');
  input.type = 'file';
  input.accept = '.jsonl,application/jsonl';
  input.dataset['transcript'] = '';
  input.addEventListener('change', () => {
    const file = input.files?.[0];
    input.remove();
    if (file)
      void attempt(async () => {
        const task = await rpc().call('thread/import', { projectId, text: await file.text() });
        openTask(task.id);
        toast('Imported as a new task');
      }, null);
  });
  input.hidden = true;
  document.body.append(input);
  input.click();
}

/** The project that is meant: the task's, the one on the board, or the only one. */
function projectOf({ board, task, ui: { route } }: ActionContext): ProjectId | null {
  if (task) return task.projectId;
  if (route.place === 'board' && route.project) return route.project;
  if (route.place === 'project') return route.projectId;
  const all = Object.values(board?.projects ?? {});
  return all.length === 1 ? all[0]!.id : null;
}
const talked = ({ board, task }: ActionContext): boolean => board !== null && task !== null && threadOf(board, task)?.turn != null;

export const transcriptActions: readonly Action[] = [
  {
    id: 'search.thread',
    title: 'Search this conversation',
    group: 'Conversation',
    icon: 'search',
    keys: ['mod+f'],
    scope: 'task',
    when: ({ task, ui: { route } }) => task !== null && route.place === 'task',
    run: ({ task }) => openLayer({ kind: 'search', taskId: task!.id }),
  },
  {
    id: 'search.all',
    title: 'Search all conversations',
    group: 'Conversation',
    icon: 'search',
    keys: ['mod+shift+f'],
    when: ({ board }) => board !== null,
    run: () => openLayer({ kind: 'search' }),
  },
  {
    id: 'transcript.markdown',
    title: 'Export the transcript as Markdown',
    group: 'Task',
    icon: 'file',
    when: talked,
    run: ({ task }) => save(task!, 'markdown'),
  },
  {
    id: 'transcript.jsonl',
    title: 'Export the transcript as JSONL',
    group: 'Task',
    icon: 'file',
    when: talked,
    run: ({ task }) => save(task!, 'jsonl'),
  },
  {
    id: 'transcript.import',
    title: 'Import a transcript as a new task',
    group: 'Conversation',
    icon: 'plus',
    when: (context) => projectOf(context) !== null,
    run: (context) => choose(projectOf(context)!),
  },
];
