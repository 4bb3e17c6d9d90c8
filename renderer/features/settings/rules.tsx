import { attempt } from '../../actions/registry.ts';
import { rpc } from '../../state/store.ts';
import { useCore, useCoreShallow } from '../../state/hooks.ts';
import { Button, Time } from '../../ui/index.ts';

/** What was allowed for good, with the way to take it back. */
export function Rules() {
  const board = useCore((state) => state.board!);
  const rules = useCoreShallow((state) => Object.values(state.board!.rules).sort((a, b) => b.at - a.at));
  if (!rules.length)
    return <p className="muted sm">None. When you allow a command for a task or a project, the rule stands here until you revoke it.</p>;
  return (
    <ul className="rules rows">
      {rules.map((rule) => (
        <li key={rule.id}>
          <code className="cut">{rule.prefix.join(' ')} …</code>
          <span className="grow cut faint xs">
            {rule.scope === 'project'
              ? `in ${board.projects[rule.projectId ?? '']?.name ?? 'a closed project'}`
              : `in “${(rule.taskId && board.tasks[rule.taskId]?.title) || 'a deleted task'}”`}{' '}
            · <Time at={rule.at} />
          </span>
          <Button
            small
            look="quiet"
            aria-label={`Revoke ${rule.prefix.join(' ')}`}
            onClick={() => void attempt(() => rpc().call('rule/revoke', { ruleId: rule.id }), null)}
          >
            Revoke
          </Button>
        </li>
      ))}
    </ul>
  );
}
