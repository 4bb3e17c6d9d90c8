import { Failure, ModelWire, type ModelChoice, type Settings, type Task } from '../contract/index.ts';
import type { ModelConfig } from '../harness/types.ts';
import type { Store } from '../storage/store.ts';
import type { KeyStore } from './api.ts';

/** The model where nobody chose one: what the wire's own provider serves to everyone. */
const DEFAULT_MODEL = 'gpt-5.5';
const OPENAI = 'https://api.openai.com/v1';
const CONTEXT_WINDOW = 272_000;
export const DEMO_MODEL = 'demo';
const DEMO_LABEL = 'Demo model (offline)';

/** `caller`: a command brought it along for its own task. */
export interface Endpoint {
  baseUrl: string;
  key: string;
  wire?: ModelWire | undefined;
  caller?: boolean;
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
 * (`OPENAI_API_KEY`, `OPENAI_BASE_URL`, `SIGNALBOX_MODEL`, `SIGNALBOX_WIRE`); with neither, the app has the offline demo model.
 */
export class Models {
  readonly #store: Store;
  readonly #env: Record<string, string | undefined>;
  readonly #keys: KeyStore;
  readonly #demo: () => Promise<Endpoint>;
  #key: string | null = null;

  constructor(options: { store: Store; env: Record<string, string | undefined>; keys: KeyStore; demo: () => Promise<Endpoint> }) {
    this.#store = options.store;
    this.#env = options.env;
    this.#keys = options.keys;
    this.#demo = options.demo;
  }

  /** Reads the key and brings the derived settings up to date. */
  async load(): Promise<void> {
    this.#key = await this.#keys.get();
    const settings = this.derive(this.#store.board.settings);
    await this.#store.commit({ events: [{ type: 'settings.changed', settings }] });
  }

  async setKey(key: string): Promise<void> {
    await this.#keys.set(key === '' ? null : key);
    this.#key = key === '' ? null : key;
  }

  /** Fills in what is found out rather than chosen: where the key comes from, and the models to choose from. */
  derive(settings: Settings): Settings {
    const keySource = this.#key ? 'settings' : this.#env['OPENAI_API_KEY'] ? 'environment' : 'none';
    const models: ModelChoice[] = [];
    if (keySource !== 'none' || this.#baseUrl(settings)) {
      const id = settings.model || this.#env['SIGNALBOX_MODEL'] || DEFAULT_MODEL;
      if (id !== DEMO_MODEL) {
        const source =
          keySource === 'settings' ? 'key in Settings' : keySource === 'environment' ? 'key in OPENAI_API_KEY' : this.#baseUrl(settings);
        models.push({ id, label: id, kind: 'remote', source });
      }
    }
    models.push({ id: DEMO_MODEL, label: DEMO_LABEL, kind: 'demo', source: 'offline, scripted, free' });
    return { ...settings, wire: settings.wire ?? 'responses', hasKey: keySource !== 'none', keySource, models };
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
    if (endpoint || settings.models.some((model) => model.kind === 'remote')) return DEFAULT_MODEL;
    if (origin === 'app') return DEMO_MODEL;
    throw noModel();
  }

  /** Address and key for a task's model. Throws `no-model` when there is neither. */
  async config(model: string, endpoint?: Endpoint): Promise<ModelConfig> {
    if (model === DEMO_MODEL) {
      const demo = await this.#demo();
      return { model, baseUrl: demo.baseUrl, key: demo.key, contextWindow: CONTEXT_WINDOW };
    }
    const settings = this.#store.board.settings;
    const baseUrl = endpoint?.baseUrl || this.#baseUrl(settings);
    // The person's own key goes to no address that only a command named, and their choice of API is not about it.
    const elsewhere = endpoint?.caller === true && baseUrl !== this.#baseUrl(settings);
    const key = endpoint?.key || (elsewhere ? '' : this.#key || this.#env['OPENAI_API_KEY'] || '');
    if (!key && !baseUrl) throw noModel();
    return {
      model,
      baseUrl: baseUrl || OPENAI,
      key,
      wire: endpoint?.wire ?? (elsewhere ? 'responses' : this.#wire(settings)),
      contextWindow: CONTEXT_WINDOW,
    };
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

/** What SIGNALBOX_WIRE asks for. Throws `invalid-input` for a word that names no API. */
function wireIn(env: Record<string, string | undefined>): ModelWire | undefined {
  const word = env['SIGNALBOX_WIRE'];
  if (!word) return undefined;
  const parsed = ModelWire.safeParse(word);
  if (!parsed.success) throw new Failure('invalid-input', `SIGNALBOX_WIRE is “${word}”.`, { fix: 'It may be “responses” or “chat”.' });
  return parsed.data;
}

const noModel = (): Failure =>
  new Failure('no-model', 'No model is set up.', {
    fix: 'Set OPENAI_API_KEY (and OPENAI_BASE_URL for another provider), enter a key in Settings, or use --model demo for the offline demo.',
  });
