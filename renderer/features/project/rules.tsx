import type { Project } from '../../../agent-core/contract/index.ts';
import { RuleList } from '../../actions/rule-list.tsx';
import { Section } from './section.tsx';

/** What was answered for good and holds in this project, with the way to take it back. */
export function Rules({ project }: { project: Project }) {
  return (
    <Section id="rules" title="Rules">
      <p className="muted sm">
        What may run outside the sandbox or stand in a worktree without asking, and what never may. The strictest rule wins.
      </p>
      <RuleList projectId={project.id} />
    </Section>
  );
}
