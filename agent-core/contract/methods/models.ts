import { z } from 'zod';
import { ListedModel, ModelWire, OfferedModel, Provider, ProviderId } from '../catalogue.ts';
import { Settings } from '../settings.ts';
import { ProjectId, TaskId } from '../ids.ts';
import { method, nothing, type MethodSpec } from './method.ts';

const reaching = [
  'no-model',
  'model-unauthorized',
  'model-unknown',
  'model-unreachable',
  'model-refused',
  'model-limited',
  'model-bad-reply',
] as const;

/** Providers, and the list of models to choose from. */
export const modelMethods = {
  /**
   * One tiny request to a model: by default the one that new tasks get. `provider` names where, `baseUrl`, `key`, `wire` and
   * `apiVersion` what a form holds that is not saved yet.
   */
  'model/test': method(
    z.object({
      provider: ProviderId.optional(),
      baseUrl: z.string().optional(),
      key: z.string().optional(),
      model: z.string().optional(),
      wire: ModelWire.optional(),
      apiVersion: z.string().optional(),
    }),
    z.object({ model: z.string(), ms: z.number() }),
    reaching,
  ),
  /** Adds a provider, or changes the one of that id. `key`: '' forgets it; absent keeps it. Puts a model of it on the list where there was none. */
  'provider/save': method(z.object({ provider: Provider, key: z.string().max(500).optional() }), Settings, ['conflict']),
  /** Forgets a provider, its key and its models. The main one can't go. */
  'provider/remove': method(z.object({ provider: ProviderId }), Settings, ['conflict']),
  /** What the provider says that it offers, asked now. */
  'provider/offers': method(z.object({ provider: ProviderId }), z.object({ models: z.array(OfferedModel) }), reaching),
  /** Puts a model on the list, or changes what is on it. */
  'model/save': method(z.object({ entry: ListedModel }), Settings),
  'model/remove': method(z.object({ model: z.string(), provider: ProviderId }), Settings),
  /** Whether the provider of a task's model may search the web for it, from the next turn on. */
  'project/search': method(z.object({ projectId: ProjectId, allow: z.boolean() }), nothing),
  'task/search': method(z.object({ taskId: TaskId, allow: z.boolean() }), nothing),
} as const satisfies Record<string, MethodSpec>;
