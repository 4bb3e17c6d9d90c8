import { Effort, type Settings } from '../../agent-core/contract/index.ts';

/** The levels that a model takes, to choose from; just the automatic one for a model that doesn't reason. */
export function effortsOf(settings: Settings, model: string): readonly { id: Effort | ''; label: string }[] {
  const facts = settings.models.find(({ id }) => id === model)?.facts;
  const auto = { id: '' as const, label: settings.defaults.effort ? `Effort: ${settings.defaults.effort}` : 'Effort: automatic' };
  if (model === 'demo') return [auto];
  return [
    auto,
    ...(facts?.efforts ?? Effort.options.filter((each) => ['low', 'medium', 'high'].includes(each))).map((id) => ({
      id,
      label: `Effort: ${id}`,
    })),
  ];
}

/** The models to choose from, with one that isn't on the list any more but in use. */
export function modelsFor(settings: Settings, current: string): readonly { id: string; label: string }[] {
  return !current || settings.models.some(({ id }) => id === current)
    ? settings.models
    : [{ id: current, label: current }, ...settings.models];
}
