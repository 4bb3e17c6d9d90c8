import { z } from 'zod';
import { Budgets } from './budget.ts';
import { ApprovalPolicy, Mode } from './values.ts';
import { Effort, kindOf, ListedModel, MAIN_PROVIDER, ModelChoice, ModelWire, PRESETS, Provider, ProviderId } from './catalogue.ts';

/** How long deleted tasks and old checkpoints stay where nobody chose. */
export const RETENTION_DAYS = 30;

export const Settings = z.object({
  baseUrl: z.string(),
  model: z.string(),
  hasKey: z.boolean(),
  wire: ModelWire.default('responses'),
  /** Where the key in use comes from. */
  keySource: z.enum(['none', 'settings', 'environment']),
  concurrency: z.number().int().min(1).max(64),
  theme: z.enum(['system', 'light', 'dark']),
  worktreeRoot: z.string().nullable(),
  /** Days that deleted tasks stay in the trash and checkpoints can be gone back to; 30 where nobody chose. */
  retentionDays: z.number().int().min(1).max(3650).optional(),
  /** What a new task is created with. */
  defaults: z.object({ mode: Mode, approval: ApprovalPolicy, effort: Effort.optional(), budgets: Budgets.optional() }),
  models: z.array(ModelChoice),
  /** The main provider's `api-version`, for Azure. */
  apiVersion: z.string().max(40).optional(),
  /** Providers beside the main one, which is `baseUrl`, `wire` and `apiVersion` above. */
  providers: z.array(Provider).optional(),
  /** Models that the person put on the list or corrected. */
  listed: z.array(ListedModel).optional(),
  /** The main provider's address in use, the environment's where `baseUrl` is empty; found out, not chosen. */
  mainUrl: z.string().optional(),
  /** Where each provider's key comes from; found out, not chosen. */
  keys: z.record(ProviderId, z.enum(['none', 'settings', 'environment'])).optional(),
});
export type Settings = z.infer<typeof Settings>;

/** All providers, the main one first. */
export function providersOf(settings: Settings): Provider[] {
  const kind = kindOf(settings.mainUrl ?? settings.baseUrl);
  const main: Provider = {
    id: MAIN_PROVIDER,
    kind,
    name: PRESETS.find((preset) => preset.kind === kind)!.name,
    baseUrl: settings.baseUrl,
    wire: settings.wire,
    ...(settings.apiVersion ? { apiVersion: settings.apiVersion } : {}),
  };
  return [main, ...(settings.providers ?? [])];
}

/** One line of the sandbox's self-test, or of `signalbox doctor`. */
export const Probe = z.object({
  name: z.string(),
  ok: z.boolean(),
  /** `denies`: something must not work inside; `works`: something must; `has`: a part of the machine. */
  kind: z.enum(['denies', 'works', 'has']),
  detail: z.string(),
  fix: z.string().nullable(),
});
export type Probe = z.infer<typeof Probe>;
export const SandboxStatus = z.object({
  state: z.enum(['checking', 'confined', 'unavailable']),
  /** Such as "bubblewrap 0.8.0 with seccomp". */
  driver: z.string(),
  probes: z.array(Probe),
  ms: z.number(),
});
export type SandboxStatus = z.infer<typeof SandboxStatus>;
