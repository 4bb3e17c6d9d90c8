import type { Board, Grants, ProjectId, Rule, TaskId } from '../../agent-core/contract/index.ts';
import { useCore } from '../state/hooks.ts';
import { rpc } from '../state/store.ts';
import { Button, Time, visibleLine } from '../ui/index.ts';
import { attempt } from './registry.ts';

/** Something that stands until it is revoked. */
interface Row {
  key: string;
  words: string;
  code: string;
  where: string;
  at: number | null;
  revoke: () => Promise<unknown>;
}

const projectName = (board: Board, id: ProjectId | null): string => (id && board.projects[id]?.name) || 'a closed project';
const taskName = (board: Board, id: TaskId | null): string => `“${(id && board.tasks[id]?.title) || 'a deleted task'}”`;

function ruleRow(board: Board, rule: Rule): Row {
  return {
    key: rule.id,
    words: rule.effect === 'refuse' ? 'Never' : 'Runs outside',
    code: `${rule.prefix.join(' ')} …`,
    where:
      rule.scope === 'machine'
        ? 'on this computer'
        : `in ${rule.scope === 'project' ? projectName(board, rule.projectId) : taskName(board, rule.taskId)}`,
    at: rule.at,
    revoke: () => rpc().call('rule/revoke', { ruleId: rule.id }),
  };
}

const fileRows = (grants: Grants | undefined, where: string, of: { taskId: TaskId | null; projectId: ProjectId | null }): Row[] =>
  (grants?.files ?? []).map((path) => ({
    key: `${of.taskId ?? of.projectId} ${path}`,
    words: 'May stand',
    code: path,
    where: `in ${where}`,
    at: null,
    revoke: () => rpc().call('file/revoke', { path, ...of }),
  }));

/** All rules, or those that hold in one project, its tasks' own and this computer's included; refusals first. */
function rowsOf(board: Board, projectId: ProjectId | undefined): Row[] {
  const here = (id: ProjectId | null | undefined): boolean => projectId === undefined || id === projectId;
  const rules = Object.values(board.rules)
    .filter((rule) => rule.scope === 'machine' || here(rule.projectId))
    .sort((a, b) => Number(b.effect === 'refuse') - Number(a.effect === 'refuse') || b.at - a.at)
    .map((rule) => ruleRow(board, rule));
  const projects = Object.values(board.projects)
    .filter(({ id }) => here(id))
    .flatMap(({ id, name, grants }) => fileRows(grants, name, { taskId: null, projectId: id }));
  const tasks = Object.values(board.tasks)
    .filter((task) => here(task.projectId))
    .flatMap(({ id, grants }) => fileRows(grants, taskName(board, id), { taskId: id, projectId: null }));
  return [...rules, ...projects, ...tasks];
}

/** What was answered for good, with the way to take it back. */
export function RuleList({ projectId }: { projectId?: ProjectId }) {
  const board = useCore((state) => state.board!);
  const rows = rowsOf(board, projectId);
  if (!rows.length)
    return (
      <p className="muted sm">
        None. When you allow or refuse something for a task, a project or everywhere, the rule stands here until you revoke it.
      </p>
    );
  return (
    <ul className="rules rows">
      {rows.map(({ key, words, code, where, at, revoke }) => (
        <li key={key}>
          <span className={`xs${words === 'Never' ? ' bad' : ' muted'}`}>{words}</span>
          <code className="cut">{visibleLine(code)}</code>
          <span className="grow cut faint xs">
            {visibleLine(where)}
            {at !== null && (
              <>
                {' '}
                · <Time at={at} />
              </>
            )}
          </span>
          <Button
            small
            look="quiet"
            aria-label={`Revoke ${visibleLine(code.replace(/ …$/, ''))}`}
            onClick={() => void attempt(revoke, null)}
          >
            Revoke
          </Button>
        </li>
      ))}
    </ul>
  );
}
