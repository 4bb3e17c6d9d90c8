import { BUDGET_KINDS, budgetsOf, countedOf, limitWords, type TaskId } from '../../../agent-core/contract/index.ts';
import { attempt } from '../../actions/registry.ts';
import { useCore } from '../../state/hooks.ts';
import { core, rpc } from '../../state/store.ts';
import { closeLayer, openLayer } from '../../state/ui.ts';
import { BudgetFields, Button, Dialog, money } from '../../ui/index.ts';

/** What the task spent, of its tightest limit where it has one; opens the limits. */
export function BudgetBar({ taskId }: { taskId: TaskId }) {
  const board = useCore((state) => state.board!);
  const task = board.tasks[taskId];
  if (!task) return null;
  const limits = budgetsOf(board, task).task;
  const counted = countedOf(task.usage, task.worked);
  const [tightest] = BUDGET_KINDS.flatMap((kind) =>
    limits[kind] ? [{ kind, limit: limits[kind], share: counted[kind] / limits[kind] }] : [],
  ).sort((a, b) => b.share - a.share);
  const cost = task.usage.cost === null ? '' : money(task.usage.cost);
  const spent = tightest && (tightest.kind === 'money' ? cost || '$0.00' : limitWords(tightest.kind, counted[tightest.kind]).split(' ')[0]);
  const words = tightest ? `${spent} of ${limitWords(tightest.kind, tightest.limit)}` : cost || 'No budget';
  return (
    <button
      type="button"
      className="budget-bar"
      title={tightest ? 'Spent of the budget. Click to change it.' : 'Spent so far. Click to set a budget.'}
      aria-haspopup="dialog"
      onClick={() => openLayer({ kind: 'budget', taskId })}
    >
      {tightest && (
        <span
          className="meter"
          role="meter"
          aria-label="Budget"
          aria-valuemin={0}
          aria-valuemax={100}
          aria-valuenow={Math.min(100, Math.round(tightest.share * 100))}
        >
          <i
            className={tightest.share >= 1 ? 'full-up' : tightest.share >= 0.8 ? 'near' : undefined}
            style={{ width: `${Math.min(100, tightest.share * 100)}%` }}
          />
        </span>
      )}
      {words}
    </button>
  );
}

/** The limits of one task; an empty field leaves it to the project and the settings. */
export function BudgetDialog({ taskId }: { taskId: TaskId }) {
  const board = useCore((state) => state.board!);
  const task = board.tasks[taskId];
  if (!task) return null;
  const wider = budgetsOf(core.getState().board!, { projectId: task.projectId });
  return (
    <Dialog
      open
      onClose={closeLayer}
      title="Budget of this task"
      foot={
        <Button look="fill" onClick={closeLayer}>
          Done
        </Button>
      }
    >
      <BudgetFields
        value={task.budgets ?? {}}
        wider={wider}
        onChange={(budgets) => void attempt(() => rpc().call('task/budget', { taskId, budgets }), taskId)}
      />
    </Dialog>
  );
}
