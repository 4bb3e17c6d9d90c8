import { Effort, ModelFacts, type OfferedModel, type ProviderKind } from '../../contract/index.ts';
import type { ModelConfig } from '../types.ts';
import { headersOf, urlOf } from './client.ts';
import { ModelFault, toFault } from './fault.ts';
import { leanFetch } from './http.ts';
import { failure } from './failure.ts';

/**
 * What `GET /models` says. OpenAI tells names only; OpenRouter (openrouter.ai/docs/models) tells windows, prices and
 * abilities; vLLM `max_model_len`; Ollama and LM Studio tell more at addresses of their own beside the API.
 */

type Json = Record<string, unknown>;
const record = (value: unknown): Json => (typeof value === 'object' && value !== null ? (value as Json) : {});
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const number = (value: unknown): number | undefined => {
  const parsed = typeof value === 'number' ? value : typeof value === 'string' && value.trim() ? Number(value) : Number.NaN;
  return Number.isFinite(parsed) && parsed >= 0 ? parsed : undefined;
};

/** US dollars for one token, as OpenRouter tells it, to those for a million; rounded, because 0.0000025 × 10⁶ is not 2.5. */
const million = (value: unknown): number | undefined => {
  const each = number(value);
  return each === undefined ? undefined : Number((each * 1e6).toPrecision(6));
};

function priceIn(pricing: Json): ModelFacts['price'] {
  const input = million(pricing['prompt']);
  const output = million(pricing['completion']);
  if (input === undefined || output === undefined) return undefined;
  return { input, output, cached: million(pricing['input_cache_read']) ?? input };
}

/** The facts in one entry of a list; what is absent or makes no sense is left out. */
function factsIn(entry: Json): ModelFacts {
  const parameters = list(entry['supported_parameters']);
  const modalities = list(record(entry['architecture'])['input_modalities']);
  const abilities = list(entry['capabilities']);
  const facts = {
    contextWindow:
      number(entry['context_length']) ??
      number(entry['context_window']) ??
      number(entry['max_model_len']) ??
      number(entry['loaded_context_length']) ??
      number(entry['max_context_length']),
    images: modalities.length
      ? modalities.includes('image')
      : entry['type'] === 'vlm' || abilities.includes('vision')
        ? true
        : abilities.length || entry['type'] === 'llm'
          ? false
          : undefined,
    efforts: parameters.length
      ? parameters.includes('reasoning') || parameters.includes('reasoning_effort')
        ? Effort.options.filter((each) => ['low', 'medium', 'high'].includes(each))
        : []
      : undefined,
    price: priceIn(record(entry['pricing'])),
  };
  const kept = Object.entries(facts).filter(
    ([name, value]) => value !== undefined && ModelFacts.shape[name as keyof typeof facts].safeParse(value).success,
  );
  return Object.fromEntries(kept) as ModelFacts;
}

async function get(config: ModelConfig, url: string, signal: AbortSignal, body?: unknown): Promise<unknown> {
  const reply = await leanFetch(url, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { ...headersOf(config), accept: 'application/json', ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal,
  });
  const text = await reply.text();
  if (reply.ok) {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      throw noList(config, text);
    }
  }
  const said = record(parsed(text)['error'] ?? parsed(text));
  const error = Object.assign(new Error(typeof said['message'] === 'string' ? said['message'] : text.slice(0, 500)), {
    status: reply.status,
    headers: reply.headers,
    error: Object.keys(said).length ? said : null,
    code: said['code'] as string | undefined,
  });
  throw toFault(error, config, false);
}

function parsed(text: string): Json {
  try {
    return record(JSON.parse(text));
  } catch {
    return {};
  }
}

const noList = (config: ModelConfig, output: string): ModelFault =>
  new ModelFault('model-bad-reply', `${config.baseUrl} has no list of models.`, { fix: 'Type the name of the model in Settings.', output });

const idOf = (entry: Json): string => (typeof entry['id'] === 'string' ? entry['id'] : '');

/** What stands beside the API of these servers, by the model's name; nothing where it can't be had. */
async function beside(config: ModelConfig, kind: ProviderKind, names: string[], signal: AbortSignal): Promise<Map<string, ModelFacts>> {
  const root = config.baseUrl.replace(/\/v1\/?$/, '');
  const known = new Map<string, ModelFacts>();
  try {
    if (kind === 'lmstudio')
      for (const entry of list(record(await get(config, `${root}/api/v0/models`, signal))['data']).map(record))
        known.set(idOf(entry), factsIn(entry));
    if (kind === 'ollama')
      await Promise.all(
        names.slice(0, 50).map(async (model) => {
          const shown = record(await get(config, `${root}/api/show`, signal, { model }));
          const info = Object.entries(record(shown['model_info'])).find(([name]) => name.endsWith('.context_length'));
          known.set(model, factsIn({ capabilities: shown['capabilities'], context_length: info?.[1] }));
        }),
      );
  } catch {
    // A server that has no such address offers its names all the same.
  }
  return known;
}

/** What a provider offers, sorted by name. Throws a `Failure` with a `model-*` code. */
export async function offers(config: ModelConfig, kind: ProviderKind, timeout = 15_000): Promise<OfferedModel[]> {
  const signal = AbortSignal.timeout(timeout);
  try {
    const answer = await get(config, urlOf(config, '/models'), signal);
    const entries = list(Array.isArray(answer) ? answer : (record(answer)['data'] ?? record(answer)['models'])).map(record);
    if (!entries.length && record(answer)['object'] !== 'list') throw noList(config, JSON.stringify(answer).slice(0, 500));
    const named = entries.filter((entry) => idOf(entry) && idOf(entry).length <= 200);
    const more = await beside(config, kind, named.map(idOf), signal);
    return named
      .map((entry) => ({ model: idOf(entry), facts: { ...factsIn(entry), ...more.get(idOf(entry)) } }))
      .toSorted((a, b) => (a.model < b.model ? -1 : 1));
  } catch (thrown) {
    throw failure(toFault(thrown, config, false));
  }
}
