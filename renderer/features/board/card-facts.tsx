import type { Check, Task, TaskStatus } from '../../../agent-core/contract/index.ts';
import { Diffstat, Icon, Money, visibleLine } from '../../ui/index.ts';

function CheckMark({ check }: { check: Check }) {
  const words = check.summary ?? (check.passed ? 'passed' : 'failed');
  const tone = check.stale ? 'faint' : check.passed ? 'ok' : 'bad';
  return (
    <span className="row" title={`${check.command}${check.stale ? ' — before the last change' : ''}`}>
      <Icon small name={check.passed ? 'check' : 'x'} className={tone} />
      <span className={check.passed || check.stale ? 'muted' : 'bad'}>
        {words}
        {check.stale && <span className="faint"> before</span>}
      </span>
    </span>
  );
}

function Pips({ attempts, status }: { attempts: number; status: TaskStatus }) {
  const last = status === 'failed' ? 'no' : status === 'review' ? 'on' : 'now';
  return (
    <div className="meta">
      <span className="row">
        <span className="pips" aria-hidden="true">
          {Array.from({ length: attempts }, (_, index) => (
            <i key={index} className={index === attempts - 1 ? last : 'on'} />
          ))}
        </span>
        <span>{attempts} attempts</span>
      </span>
    </div>
  );
}

/** The last lines of a card: ± lines and checks, attempts, project and cost. */
export function CardFacts({ task, project, attempts, status }: { task: Task; project: string; attempts: number; status: TaskStatus }) {
  const changed = task.diff && (task.diff.added > 0 || task.diff.removed > 0);
  return (
    <div className="metas">
      {(changed || task.check) && (
        <div className="meta">
          <span>{task.diff && <Diffstat {...task.diff} />}</span>
          {task.check && <CheckMark check={task.check} />}
        </div>
      )}
      {task.running && task.running.length > 0 && (
        <div className="meta">
          <span className="row ok">
            <Icon small name="play" />
            <span className="cut">{task.running.map(({ name }) => visibleLine(name)).join(', ')} running</span>
          </span>
        </div>
      )}
      {attempts > 1 && <Pips attempts={attempts} status={status} />}
      <div className="meta">
        <span className="cut">{project}</span>
        <Money dollars={task.usage.cost} />
      </div>
    </div>
  );
}
