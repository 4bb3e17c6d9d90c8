import {
  Failure,
  kindOf,
  MAIN_PROVIDER,
  providersOf,
  refOf,
  type Effort,
  type ModelChoice,
  type ModelFacts,
  type ModelWire,
  type Price,
  type Provider,
  type Settings,
  type Task,
} from '../contract/index.ts';
import { factsByName } from '../harness/model/facts.ts';
import type { ModelConfig } from '../harness/types.ts';
import type { Store } from '../storage/store.ts';
import type { KeyRing } from './key-ring.ts';
import { wireIn } from './wire-in.ts';

/** The model where nobody chose one: what the wire's own provider serves to everyone. */
const DEFAULT_MODEL = 'gpt-5.5';
const OPENAI = 'https://api.openai.com/v1';
/** Tokens, where nobody says more: a window that the servers at home have too. */
const UNKNOWN_WINDOW = 128_000;
export const DEMO_MODEL = 'demo';
const DEMO_LABEL = 'Demo model (offline)';

/** `caller`: a command brought it along for its own task. */
export interface Endpoint {
  baseUrl: string;
  key: string;
  wire?: ModelWire | undefined;
  apiVersion?: string | undefined;
  caller?: boolean;
}

/** What a turn asks for: a model by its reference, and how long it may think. */
export interface Wanted {
  model: string;
  effort?: Effort | undefined;
}

/** What a fresh home starts with. */
export function defaultSettings(): Settings {
  return {
    baseUrl: '',
    wire: 'responses',
    model: '',
    hasKey: false,
    keySource: 'none',
    concurrency: 8,
    theme: 'system',
    worktreeRoot: null,
    defaults: { mode: 'workspace', approval: 'on-request' },
    models: [{ id: DEMO_MODEL, label: DEMO_LABEL, kind: 'demo', source: 'built in' }],
  };
}

/**
 * Which model a task runs on and how to reach it. What the person set in Settings wins over the environment
 * (`OPENAI_API_KEY`, `OPENAI_BASE_URL`, `SIGNALBOX_MODEL`, `SIGNALBOX_WIRE`), which speaks for the main provider;
 * with neither, the app has the offline demo model.
 */
export class Models {
  readonly #store: Store;
  readonly #env: Record<string, string | undefined>;
  readonly #keys: KeyRing;
  readonly #demo: () => Promise<Endpoint>;

  constructor(options: { store: Store; env: Record<string, string | undefined>; keys: KeyRing; demo: () => Promise<Endpoint> }) {
    this.#store = options.store;
    this.#env = options.env;
    this.#keys = options.keys;
    this.#demo = options.demo;
  }

  /** Reads the keys and brings the derived settings up to date. */
  async load(): Promise<void> {
    await this.#keys.load();
    const settings = this.derive(this.#store.board.settings);
    await this.#store.commit({ events: [{ type: 'settings.changed', settings }] });
  }

  /** Every secret that is kept here. */
  secrets(): string[] {
    return this.#keys.values();
  }

  /** Keeps a provider's key; '' forgets it. */
  setKey(key: string, provider: string = MAIN_PROVIDER): Promise<void> {
    return this.#keys.set(provider, key);
  }

  /** Fills in what is found out rather than chosen: where keys come from, and the models to choose from. */
  derive(settings: Settings): Settings {
    const mainUrl = this.#baseUrl(settings);
    const keys = Object.fromEntries(providersOf(settings).map(({ id }) => [id, this.#source(id)]));
    const keySource = keys[MAIN_PROVIDER]!;
    const models = [...this.#choices({ ...settings, mainUrl }), this.#demoChoice()];
    return { ...settings, wire: settings.wire ?? 'responses', hasKey: keySource !== 'none', keySource, keys, mainUrl, models };
  }

  #source(provider: string): Settings['keySource'] {
    if (this.#keys.get(provider)) return 'settings';
    return provider === MAIN_PROVIDER && this.#env['OPENAI_API_KEY'] ? 'environment' : 'none';
  }

  #choices(settings: Settings): ModelChoice[] {
    const providers = new Map(providersOf(settings).map((provider) => [provider.id, provider]));
    const refs = new Map<string, ModelChoice>();
    const add = (model: string, at: string): void => {
      const provider = providers.get(at);
      const id = refOf(model, at);
      if (!provider || refs.has(id) || id === DEMO_MODEL) return;
      const label = at === MAIN_PROVIDER ? model : `${model} · ${provider.name}`;
      refs.set(id, {
        id,
        label,
        kind: 'remote',
        source: this.#told(settings, provider),
        provider: at,
        model,
        facts: this.facts(id, settings),
      });
    };
    const main = this.#source(MAIN_PROVIDER) !== 'none' || this.#baseUrl(settings) !== '';
    const chosen = settings.model || this.#env['SIGNALBOX_MODEL'];
    if (chosen && chosen !== DEMO_MODEL) {
      const { model, provider } = this.#parse(chosen, settings);
      if (provider.id !== MAIN_PROVIDER || main) add(model, provider.id);
    } else if (main && !settings.listed?.some(({ provider }) => provider === MAIN_PROVIDER)) add(DEFAULT_MODEL, MAIN_PROVIDER);
    for (const { model, provider } of settings.listed ?? []) if (provider !== MAIN_PROVIDER || main) add(model, provider);
    return [...refs.values()];
  }

  #told(settings: Settings, { id, name }: Provider): string {
    if (id !== MAIN_PROVIDER) return name;
    const source = this.#source(id);
    return source === 'settings' ? 'key in Settings' : source === 'environment' ? 'key in OPENAI_API_KEY' : this.#baseUrl(settings);
  }

  #demoChoice(): ModelChoice {
    return { id: DEMO_MODEL, label: DEMO_LABEL, kind: 'demo', source: 'offline, scripted, free' };
  }

  /** A reference's model and its provider; a suffix that names no provider is part of the model's name. */
  #parse(ref: string, settings: Settings): { model: string; provider: Provider } {
    const [main, ...others] = providersOf(settings);
    const at = ref.lastIndexOf('@');
    const named = at > 0 ? others.find(({ id }) => id === ref.slice(at + 1)) : undefined;
    return named ? { model: ref.slice(0, at), provider: named } : { model: ref, provider: main! };
  }

  /** What is known of a model: the person's word first, then its provider's, then what its name tells. */
  facts(ref: string, settings: Settings = this.#store.board.settings): ModelFacts {
    const { model, provider } = this.#parse(ref, settings);
    const entry = settings.listed?.find((each) => each.model === model && each.provider === provider.id);
    return { ...factsByName(model), ...entry?.found, ...entry?.edited };
  }

  /** Null where nobody knows it. */
  price(ref: string): Price | null {
    return this.facts(ref).price ?? null;
  }

  /**
   * The model of a new task. Throws `no-model` for a command when nothing is set up:
   * only the app falls back to the demo by itself.
   */
  choose(asked: string | undefined, origin: Task['origin'], endpoint: Endpoint | undefined): string {
    if (asked) return asked;
    const settings = this.#store.board.settings;
    const chosen = settings.model || this.#env['SIGNALBOX_MODEL'];
    // Who brings an address along asks for what is there, whatever the app plays with.
    if (chosen && !(endpoint && chosen === DEMO_MODEL)) return chosen;
    if (endpoint) return DEFAULT_MODEL;
    const first = settings.models.find((model) => model.kind === 'remote');
    if (first) return first.id;
    if (origin === 'app') return DEMO_MODEL;
    throw noModel();
  }

  /** Address, key and abilities of a task's model. Throws `no-model` when there is neither address nor key. */
  async config({ model: ref, effort }: Wanted, endpoint?: Endpoint): Promise<ModelConfig> {
    if (ref === DEMO_MODEL) {
      const demo = await this.#demo();
      return { model: ref, baseUrl: demo.baseUrl, key: demo.key, contextWindow: factsByName(ref).contextWindow! };
    }
    const settings = this.#store.board.settings;
    const { model, provider } = this.#parse(ref, settings);
    const facts = this.facts(ref);
    const thinks = effort ?? settings.defaults.effort;
    return {
      model,
      ...(provider.id === MAIN_PROVIDER ? this.#main(settings, endpoint) : this.#reach(provider, endpoint)),
      contextWindow: facts.contextWindow ?? UNKNOWN_WINDOW,
      ...(facts.patchTool ? { patchTool: facts.patchTool } : {}),
      ...(facts.images === undefined ? {} : { images: facts.images }),
      // A level that a model is known not to take is left out, not refused: the default is for all models.
      ...(thinks && (facts.efforts?.includes(thinks) ?? true) ? { effort: thinks } : {}),
    };
  }

  #main(settings: Settings, endpoint: Endpoint | undefined): Pick<ModelConfig, 'baseUrl' | 'key' | 'wire' | 'auth' | 'apiVersion'> {
    const baseUrl = endpoint?.baseUrl || this.#baseUrl(settings);
    // The person's own key goes to no address that only a command named, and their choice of API is not about it.
    const elsewhere = endpoint?.caller === true && baseUrl !== this.#baseUrl(settings);
    const key = endpoint?.key || (elsewhere ? '' : this.#keys.get(MAIN_PROVIDER) || this.#env['OPENAI_API_KEY'] || '');
    if (!key && !baseUrl) throw noModel();
    const apiVersion = endpoint?.apiVersion ?? (elsewhere ? undefined : settings.apiVersion);
    const wire = endpoint?.wire ?? (elsewhere ? 'responses' : this.#wire(settings));
    return { baseUrl: baseUrl || OPENAI, key, wire, ...azure(baseUrl, apiVersion) };
  }

  #reach(provider: Provider, endpoint: Endpoint | undefined): Pick<ModelConfig, 'baseUrl' | 'key' | 'wire' | 'auth' | 'apiVersion'> {
    // What a command brought along is for the main provider; a form's own fields count for the one that it names.
    const form = endpoint?.caller ? undefined : endpoint;
    const baseUrl = form?.baseUrl || provider.baseUrl;
    return {
      baseUrl,
      key: form?.key || this.#keys.get(provider.id),
      wire: form?.wire ?? provider.wire,
      ...azure(baseUrl, form?.apiVersion ?? provider.apiVersion),
    };
  }

  /** How a provider is reached, whatever the model. */
  async reach(provider: string, endpoint?: Endpoint): Promise<ModelConfig> {
    return this.config({ model: refOf('none', provider) }, endpoint);
  }

  /** The API goes with the address: what is chosen in Settings, unless the address is the environment's and it says otherwise. */
  #wire(settings: Settings): ModelWire {
    if (settings.baseUrl || settings.wire === 'chat') return settings.wire;
    return wireIn(this.#env) ?? settings.wire;
  }

  #baseUrl(settings: Settings): string {
    return settings.baseUrl || this.#env['OPENAI_BASE_URL'] || '';
  }
}

/** Azure's hosts want its header; its `api-version` where the person named one. */
const azure = (baseUrl: string, apiVersion: string | undefined): Pick<ModelConfig, 'auth' | 'apiVersion'> => ({
  ...(kindOf(baseUrl) === 'azure' || apiVersion ? { auth: 'api-key' as const } : {}),
  ...(apiVersion ? { apiVersion } : {}),
});

const noModel = (): Failure =>
  new Failure('no-model', 'No model is set up.', {
    fix: 'Set OPENAI_API_KEY (and OPENAI_BASE_URL for another provider), enter a key in Settings, or use --model demo for the offline demo.',
  });
