import type { Project } from '../../../agent-core/contract/index.ts';
import { attempt } from '../../actions/registry.ts';
import { useCore } from '../../state/hooks.ts';
import { rpc } from '../../state/store.ts';
import { BudgetFields } from '../../ui/index.ts';
import { Section } from './section.tsx';

/** What tasks of this project may spend before a person is asked. */
export function BudgetSection({ project }: { project: Project }) {
  const wider = useCore((state) => state.board?.settings.defaults.budgets);
  return (
    <Section id="budget" title="Budgets">
      <BudgetFields
        value={project.budgets ?? {}}
        wider={wider ?? {}}
        onChange={(budgets) => void attempt(() => rpc().call('project/budget', { projectId: project.id, budgets }), null)}
      />
    </Section>
  );
}
