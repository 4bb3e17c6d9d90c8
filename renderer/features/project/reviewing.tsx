import type { Project } from '../../../agent-core/contract/index.ts';
import { attempt } from '../../actions/registry.ts';
import { useCore } from '../../state/hooks.ts';
import { rpc } from '../../state/store.ts';
import { Field, Select } from '../../ui/index.ts';
import { Section } from './section.tsx';

const OWN = 'own';
const OFF = 'off';

/** Whether a model reviews this project's tasks by itself when they are ready, and which. */
export function Reviewing({ project }: { project: Project }) {
  const models = useCore((state) => state.board!.settings.models);
  const { on, model } = project.review ?? { on: false, model: null };
  const write = (value: string) =>
    void attempt(
      () =>
        rpc().call('project/reviewing', {
          projectId: project.id,
          review: { on: value !== OFF, model: value === OFF ? model : value === OWN ? null : value.slice(1) },
        }),
      null,
    );
  const options = [
    { id: OFF, label: 'Only when asked' },
    { id: OWN, label: 'By the task’s own model' },
    ...models.map(({ id, label }) => ({ id: `=${id}`, label: `By ${label}` })),
    ...(model && !models.some(({ id }) => id === model) ? [{ id: `=${model}`, label: `By ${model}` }] : []),
  ];
  return (
    <Section id="reviewing" title="Reviews">
      <Field
        label="When a task is ready for review"
        hint="A second pass over its changes, which only looks. It costs what the model costs."
      >
        {(props) => <Select {...props} options={options} value={!on ? OFF : model === null ? OWN : `=${model}`} onChange={write} />}
      </Field>
    </Section>
  );
}
