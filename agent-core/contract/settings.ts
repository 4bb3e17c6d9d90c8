import { z } from 'zod';
import { ApprovalPolicy, Mode } from './values.ts';

export const ModelChoice = z.object({
  /** What is sent as `model`; `demo` for the offline demo. */
  id: z.string(),
  label: z.string(),
  kind: z.enum(['demo', 'remote']),
  /** Where its key or address comes from, for the person to read. */
  source: z.string(),
});
export type ModelChoice = z.infer<typeof ModelChoice>;

/** Which of OpenAI's two APIs an address speaks: Responses, or the older Chat Completions that most servers have. */
export const ModelWire = z.enum(['responses', 'chat']);
export type ModelWire = z.infer<typeof ModelWire>;

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
  /** What a new task is created with. */
  defaults: z.object({ mode: Mode, approval: ApprovalPolicy }),
  models: z.array(ModelChoice),
});
export type Settings = z.infer<typeof Settings>;

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
