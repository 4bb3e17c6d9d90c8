import type { Project } from '../../../agent-core/contract/index.ts';
import { Include } from './include.tsx';
import { Offer } from './offer.tsx';
import { RecipeForm } from './recipe-form.tsx';
import { Registries } from './registries.tsx';
import { Section } from './section.tsx';

/** What every worktree of the project is given before its agent starts. */
export function Environment({ project }: { project: Project }) {
  return (
    <Section id="environment" title="Environment">
      <p className="muted sm">
        What each new worktree is given before its agent starts. Kept by Signalbox, not in the repository, so that no agent can change it.
      </p>
      <Offer project={project} />
      <RecipeForm project={project} />
      <Registries project={project} />
      <Include project={project} />
    </Section>
  );
}
