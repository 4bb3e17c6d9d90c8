import type { OfferedModel, ProviderKind } from '../../contract/index.ts';
import type { ModelConfig, Patience } from '../types.ts';
import { limiterFor } from './limiter.ts';
import type { ModelPort } from './port.ts';
import { PATIENCE, persistent } from './retry.ts';

export { factsByName } from './facts.ts';
export type { ModelEvent, ModelPort, ModelReply, ModelRequest } from './port.ts';

/**
 * The model as the loop sees it: a wire with retries around it and the provider's limiter before it. The wire, with
 * the client it needs, is loaded at the first request: the core's start doesn't wait for it.
 */
export function openModel(
  config: ModelConfig,
  patience: Partial<Patience> | undefined,
  limited: (until: number | null) => void,
): ModelPort {
  const all = { ...PATIENCE, ...patience };
  const wire: ModelPort = {
    ask: async (request, call) => (await import('./wire.ts')).wireOf(config, all.idle).ask(request, call),
  };
  return persistent(wire, { patience: all, limiter: limiterFor(config), limited });
}

/** See `check.ts`. */
export const testModel = async (config: ModelConfig, timeout?: number): Promise<{ model: string; ms: number }> =>
  (await import('./check.ts')).testModel(config, timeout);
/** See `offers.ts`. */
export const offers = async (config: ModelConfig, kind: ProviderKind, timeout?: number): Promise<OfferedModel[]> =>
  (await import('./offers.ts')).offers(config, kind, timeout);
