import type { Project } from '../../../agent-core/contract/index.ts';
import { Section } from './section.tsx';

/** What every worktree of the project is given before its agent starts. */
export function Environment({ project }: { project: Project }) {
  return (
    <Section id="environment" title="Environment">
      <p className="muted sm">
        Each task works in a worktree of <code>{project.root}</code> on a branch of its own.
      </p>
    </Section>
  );
}
