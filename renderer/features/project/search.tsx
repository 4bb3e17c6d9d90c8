import type { Project } from '../../../agent-core/contract/index.ts';
import { attempt } from '../../actions/registry.ts';
import { rpc } from '../../state/store.ts';
import { Segments } from '../../ui/index.ts';
import { Section } from './section.tsx';

const CHOICES = [
  { id: 'off', label: 'Off' },
  { id: 'on', label: 'Allowed' },
] as const;

/** Whether the provider of the model may search the web for tasks of this project. */
export function SearchSection({ project }: { project: Project }) {
  return (
    <Section id="search" title="Web search">
      <Segments
        label="Web search"
        options={CHOICES}
        value={project.webSearch ? 'on' : 'off'}
        onChange={(next) => void attempt(() => rpc().call('project/search', { projectId: project.id, allow: next === 'on' }), null)}
      />
      <p className="hint">
        The model’s provider searches, not the sandbox: what the agent looks for leaves this computer. Only with providers that have it on
        the Responses API. A task can have its own say.
      </p>
    </Section>
  );
}
