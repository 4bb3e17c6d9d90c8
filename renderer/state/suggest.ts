import type { ProjectId, Shortcut, TaskId } from '../../agent-core/contract/index.ts';
import type { Asking, Suggestion } from '../ui/completion.tsx';
import { rpc } from './store.ts';

interface Where {
  projectId: ProjectId | null;
  taskId?: TaskId;
}

const commands: readonly Suggestion[] = [
  { id: 'command:compact', title: '/compact', note: 'Summarize the conversation; say what to keep', icon: 'more', text: '/compact ' },
];

/** Skills and prompts seldom change: asked once in a while, not at each letter. */
const KEPT_MS = 15_000;
const kept = new Map<ProjectId, { at: number; shortcuts: Promise<readonly Shortcut[]> }>();

function shortcutsOf(projectId: ProjectId): Promise<readonly Shortcut[]> {
  const known = kept.get(projectId);
  if (known && Date.now() - known.at < KEPT_MS) return known.shortcuts;
  const shortcuts = rpc()
    .call('shortcut/list', { projectId })
    .then(({ shortcuts: all }) => all);
  kept.set(projectId, { at: Date.now(), shortcuts });
  shortcuts.catch(() => kept.delete(projectId));
  return shortcuts;
}

const shown = ({ name, kind, description, text, source }: Shortcut, sign: string): Suggestion => ({
  id: `${kind}:${name}`,
  title: `${sign}${name}`,
  note: `${description} · ${kind === 'skill' ? 'skill' : 'prompt'}, ${source}`,
  icon: kind === 'skill' ? 'star' : 'pencil',
  text,
});

/** What can stand for what is being typed: files after `@`, skills after `$`, prompts, skills and commands after `/`. */
export async function suggestFor({ projectId, taskId }: Where, { sign, letters }: Asking): Promise<readonly Suggestion[]> {
  if (!projectId) return [];
  if (sign === '@') {
    const { paths } = await rpc().call('file/find', { projectId, ...(taskId ? { taskId } : {}), query: letters, limit: 12 });
    return paths.map((path) => ({
      id: path,
      title: path.slice(path.lastIndexOf('/') + 1),
      note: path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '',
      icon: 'file',
      text: `${/\s/.test(path) ? `@"${path}"` : `@${path}`} `,
    }));
  }
  const all = await shortcutsOf(projectId);
  const wanted = letters.toLowerCase();
  const fits = (name: string): boolean => name.toLowerCase().includes(wanted);
  if (sign === '$') return all.filter(({ name, kind }) => kind === 'skill' && fits(name)).map((one) => shown(one, '$'));
  return [
    ...(taskId ? commands.filter(({ title }) => fits(title.slice(1))) : []),
    ...all.filter(({ name }) => fits(name)).map((one) => shown(one, '/')),
  ];
}
