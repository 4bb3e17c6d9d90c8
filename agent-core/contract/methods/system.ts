import { z } from 'zod';
import { ModelWire } from '../catalogue.ts';
import { Probe, SandboxStatus, Settings } from '../settings.ts';
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
      change: Settings.pick({
        baseUrl: true,
        model: true,
        concurrency: true,
        theme: true,
        worktreeRoot: true,
        retentionDays: true,
        defaults: true,
      })
        .extend({ wire: ModelWire })
        .partial(),
      /** '' forgets the key. Never sent back. */
      key: z.string().max(500).optional(),
    }),
    Settings,
  ),
  'system/selftest': method(nothing, SandboxStatus),
  'system/doctor': method(nothing, z.object({ probes: z.array(Probe), ok: z.boolean() })),
} as const satisfies Record<string, MethodSpec>;
