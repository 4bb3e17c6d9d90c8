import { z } from 'zod';
import { ModelWire, Probe, SandboxStatus, Settings } from '../settings.ts';
import { Snapshot } from '../state.ts';
import { method, nothing, type MethodSpec } from './method.ts';

/** The connection itself, settings and this machine. */
export const systemMethods = {
  initialize: method(z.object({ version: z.number().int(), token: z.string().optional() }), Snapshot, [
    'unsupported-version',
    'unauthorized',
  ]),
  snapshot: method(nothing, Snapshot),

  'settings/write': method(
    z.object({
      change: Settings.pick({ baseUrl: true, model: true, concurrency: true, theme: true, worktreeRoot: true, defaults: true })
        .extend({ wire: ModelWire })
        .partial(),
      /** '' forgets the key. Never sent back. */
      key: z.string().max(500).optional(),
    }),
    Settings,
  ),
  /** One tiny request to the model that `settings` names. */
  'model/test': method(
    z.object({ baseUrl: z.string().optional(), key: z.string().optional(), model: z.string().optional(), wire: ModelWire.optional() }),
    z.object({ model: z.string(), ms: z.number() }),
    ['no-model', 'model-unauthorized', 'model-unknown', 'model-unreachable', 'model-refused', 'model-limited', 'model-bad-reply'],
  ),
  'system/selftest': method(nothing, SandboxStatus),
  'system/doctor': method(nothing, z.object({ probes: z.array(Probe), ok: z.boolean() })),
} as const satisfies Record<string, MethodSpec>;
