import { z } from 'zod';

/** Which of OpenAI's two APIs an address speaks: Responses, or the older Chat Completions that most servers have. */
export const ModelWire = z.enum(['responses', 'chat']);
export type ModelWire = z.infer<typeof ModelWire>;

/** How long a reasoning model may think before it answers; each model takes some of these. */
export const Effort = z.enum(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']);
export type Effort = z.infer<typeof Effort>;

/** The name of a provider in a model's reference; `main` is the one that a fresh home has. */
export const ProviderId = z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'Small letters, digits and hyphens, at most 32.');
export const MAIN_PROVIDER = 'main';

export const ProviderKind = z.enum(['openai', 'azure', 'openrouter', 'ollama', 'lmstudio', 'vllm', 'other']);
export type ProviderKind = z.infer<typeof ProviderKind>;

/** Where models are reached, and how. Its key is kept apart, in the key store. */
export const Provider = z.object({
  id: ProviderId,
  kind: ProviderKind,
  name: z.string().min(1).max(60),
  baseUrl: z.string(),
  wire: ModelWire,
  /** Azure's `api-version`, where the address asks for one. */
  apiVersion: z.string().max(40).optional(),
});
export type Provider = z.infer<typeof Provider>;

/** US dollars for a million tokens. `cached` is input that the provider had already seen. */
export const Price = z.object({ input: z.number().min(0), cached: z.number().min(0), output: z.number().min(0) });
export type Price = z.infer<typeof Price>;

/** What is known of a model; an absent one is not known. */
export const ModelFacts = z.object({
  /** Tokens. */
  contextWindow: z.number().int().min(1000).max(100_000_000).optional(),
  /** Whether `apply_patch` is offered as freeform text with a grammar, or as a function. */
  patchTool: z.enum(['freeform', 'function']).optional(),
  /** The levels it takes; empty for a model that does not reason. */
  efforts: z.array(Effort).optional(),
  images: z.boolean().optional(),
  price: Price.optional(),
});
export type ModelFacts = z.infer<typeof ModelFacts>;

/** A model that the person put on their list: what its provider told about it, and what they corrected. */
export const ListedModel = z.object({
  model: z.string().min(1).max(200),
  provider: ProviderId,
  found: ModelFacts.optional(),
  edited: ModelFacts.optional(),
});
export type ListedModel = z.infer<typeof ListedModel>;

/** What a provider's own list offers. */
export const OfferedModel = z.object({ model: z.string(), facts: ModelFacts });
export type OfferedModel = z.infer<typeof OfferedModel>;

/** A model to choose from. */
export const ModelChoice = z.object({
  /** Its reference: what is sent as `model`, with `@provider` behind it unless that is the main one; `demo` for the offline demo. */
  id: z.string(),
  label: z.string(),
  kind: z.enum(['demo', 'remote']),
  /** Where its key or address comes from, for the person to read. */
  source: z.string(),
  provider: ProviderId.optional(),
  /** What is sent as `model`. */
  model: z.string().optional(),
  facts: ModelFacts.optional(),
});
export type ModelChoice = z.infer<typeof ModelChoice>;

interface Preset {
  kind: ProviderKind;
  name: string;
  baseUrl: string;
  wire: ModelWire;
  /** Whether it is reached without a key. */
  local: boolean;
  hint: string;
}

/** What a new provider's form is filled with. */
export const PRESETS: readonly Preset[] = [
  {
    kind: 'openai',
    name: 'OpenAI',
    baseUrl: 'https://api.openai.com/v1',
    wire: 'responses',
    local: false,
    hint: 'A key from platform.openai.com.',
  },
  {
    kind: 'azure',
    name: 'Azure OpenAI',
    baseUrl: 'https://YOUR-RESOURCE.openai.azure.com/openai/v1',
    wire: 'responses',
    local: false,
    hint: 'Put the name of your resource into the address; models are named as their deployments.',
  },
  {
    kind: 'openrouter',
    name: 'OpenRouter',
    baseUrl: 'https://openrouter.ai/api/v1',
    wire: 'chat',
    local: false,
    hint: 'A key from openrouter.ai.',
  },
  {
    kind: 'ollama',
    name: 'Ollama',
    baseUrl: 'http://localhost:11434/v1',
    wire: 'chat',
    local: true,
    hint: 'No key. Raise its context length to 32k or more.',
  },
  {
    kind: 'lmstudio',
    name: 'LM Studio',
    baseUrl: 'http://localhost:1234/v1',
    wire: 'chat',
    local: true,
    hint: 'No key. Load a model that can call tools.',
  },
  {
    kind: 'vllm',
    name: 'vLLM',
    baseUrl: 'http://localhost:8000/v1',
    wire: 'chat',
    local: true,
    hint: 'Start it with --enable-auto-tool-choice and a tool call parser.',
  },
  { kind: 'other', name: 'Another server', baseUrl: '', wire: 'chat', local: true, hint: 'Any server that speaks one of the two APIs.' },
];

/** Which preset an address belongs to. */
export function kindOf(baseUrl: string): ProviderKind {
  const host = baseUrl ? (URL.parse(baseUrl)?.hostname ?? '') : 'api.openai.com';
  if (host === 'api.openai.com') return 'openai';
  if (/\.(openai\.azure\.com|services\.ai\.azure\.com|cognitiveservices\.azure\.com)$/.test(host)) return 'azure';
  if (host === 'openrouter.ai') return 'openrouter';
  const local = host === 'localhost' || host === '127.0.0.1' || host === '[::1]';
  return (
    (local &&
      PRESETS.find((preset) => preset.local && preset.baseUrl && URL.parse(preset.baseUrl)?.port === URL.parse(baseUrl)?.port)?.kind) ||
    'other'
  );
}

/** `model@provider`, or the bare name at the main one. */
export const refOf = (model: string, provider: string): string => (provider === MAIN_PROVIDER ? model : `${model}@${provider}`);
