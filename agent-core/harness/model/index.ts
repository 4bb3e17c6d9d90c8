import type { ModelConfig, Patience } from '../types.ts';
import { limiterFor } from './limiter.ts';
import type { ModelPort } from './port.ts';
import { responsesWire } from './responses.ts';
import { PATIENCE, persistent } from './retry.ts';

export { listModels, testModel } from './check.ts';
export type { ModelEvent, ModelPort, ModelReply, ModelRequest } from './port.ts';

/** The model as the loop sees it: a wire with retries around it and the provider's limiter before it. */
export function openModel(config: ModelConfig, patience: Partial<Patience> | undefined, limited: (until: number | null) => void): ModelPort {
  const all = { ...PATIENCE, ...patience };
  return persistent(responsesWire(config, all.idle), { patience: all, limiter: limiterFor(config), limited });
}
