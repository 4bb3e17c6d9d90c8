import {
  Failure,
  MAIN_PROVIDER,
  providersOf,
  refOf,
  type Handlers,
  type ListedModel,
  type OfferedModel,
  type ParsedInputOf,
  type Provider,
  type Settings,
} from '../../contract/index.ts';
import { offers, testModel } from '../../harness/model/index.ts';
import type { Client } from '../api.ts';
import { getTask } from '../../domain/tasks.ts';
import { getProject, type Context } from '../context.ts';

type Part = Pick<
  Handlers<Client>,
  'model/test' | 'provider/save' | 'provider/remove' | 'provider/offers' | 'model/save' | 'model/remove' | 'project/search' | 'task/search'
>;

/** How long saving a provider waits for its list, to put a first model on ours. */
const FIRST_LOOK_MS = 5000;

export function modelHandlers(context: Context): Part {
  const { models, store } = context;
  const provider = (id: string): Provider => providerOf(context, id);
  const write = async (change: Partial<Settings>): Promise<Settings> => {
    const settings = models.derive({ ...store.board.settings, ...change });
    await store.commit({ events: [{ type: 'settings.changed', settings }] });
    return settings;
  };
  const put = (entry: ListedModel): Promise<Settings> => write({ listed: withEntry(store.board.settings.listed ?? [], entry) });
  const offered = async (id: string): Promise<OfferedModel[]> => offers(await models.reach(id), provider(id).kind);
  return {
    'model/test': (input) => test(context, input),
    'provider/save': async ({ provider: saved, key }) => {
      if (saved.baseUrl || saved.id !== MAIN_PROVIDER) checkUrl(saved.baseUrl);
      const others = (store.board.settings.providers ?? []).filter(({ id }) => id !== saved.id);
      if (key !== undefined) await models.setKey(key.trim(), saved.id);
      const { baseUrl, wire, apiVersion } = saved;
      const main = saved.id === MAIN_PROVIDER;
      const settings = await write(main ? { baseUrl, wire, apiVersion } : { providers: [...others, saved] });
      if (
        settings.models.some((choice) => choice.provider === saved.id && (!main || choice.model !== 'gpt-5.5' || saved.kind === 'openai'))
      )
        return settings;
      const first = usual(await offers(await models.reach(saved.id), saved.kind, FIRST_LOOK_MS).catch(() => []));
      return first ? put({ model: first.model, provider: saved.id, found: first.facts }) : settings;
    },
    'provider/remove': async ({ provider: id }) => {
      if (id === MAIN_PROVIDER)
        throw new Failure('conflict', 'The main provider can’t be removed.', { fix: 'Change its address, or forget its key.' });
      const { name } = provider(id);
      const { settings, tasks } = store.board;
      const used = Object.values(tasks).find(
        (task) => task.phase !== 'archived' && task.phase !== 'trashed' && task.model.endsWith(`@${id}`),
      );
      if (used)
        throw new Failure('conflict', `“${used.title}” works with a model of ${name}.`, {
          fix: 'Archive the task first, or give it another model.',
        });
      await models.setKey('', id);
      return write({
        providers: (settings.providers ?? []).filter((each) => each.id !== id),
        listed: (settings.listed ?? []).filter((each) => each.provider !== id),
        ...(settings.model.endsWith(`@${id}`) ? { model: '' } : {}),
      });
    },
    'provider/offers': async ({ provider: id }) => ({ models: await offered(id) }),
    'model/save': async ({ entry }) => {
      provider(entry.provider);
      return put(entry);
    },
    'project/search': async ({ projectId, allow }) => {
      getProject(context, projectId);
      await store.commit({ events: [{ type: 'project.searching', projectId, webSearch: allow }] });
      return {};
    },
    'task/search': async ({ taskId, allow }) => {
      getTask(store.board, taskId);
      await store.commit({ events: [{ type: 'task.searching', taskId, webSearch: allow }] });
      return {};
    },
    'model/remove': async ({ model, provider: id }) => {
      const { settings } = store.board;
      return write({
        listed: (settings.listed ?? []).filter((each) => each.model !== model || each.provider !== id),
        ...(settings.model === refOf(model, id) ? { model: '' } : {}),
      });
    },
  };
}

function providerOf({ store }: Context, id: string): Provider {
  const found = providersOf(store.board.settings).find((each) => each.id === id);
  if (!found) throw new Failure('not-found', `There is no provider “${id}”.`, { fix: 'Add it in Settings.' });
  return found;
}

/** One tiny request to the model that is named, else to one of the provider's on the list, else to the one that tasks get. */
async function test(
  context: Context,
  { provider: id, model, ...form }: ParsedInputOf<'model/test'>,
): Promise<{ model: string; ms: number }> {
  const { baseUrl = '', key = '', wire, apiVersion } = form;
  if (baseUrl) checkUrl(baseUrl);
  const { models, store } = context;
  const { settings } = store.board;
  const named = id !== undefined && id !== MAIN_PROVIDER ? providerOf(context, id) : undefined;
  // A form that says what is saved anyway leaves the choice to where the address comes from.
  const endpoint = { baseUrl, key, wire: named || baseUrl || wire !== settings.wire ? wire : undefined, apiVersion };
  const listed = id ? settings.models.find((each) => each.provider === id)?.id : undefined;
  const ref = named
    ? model
      ? refOf(model, named.id)
      : listed
    : models.choose(model ?? listed, 'app', baseUrl || key ? endpoint : undefined);
  if (!ref)
    throw new Failure('no-model', `No model of ${named!.name} is on the list.`, {
      fix: 'Choose one from what it offers, or type its name.',
    });
  return testModel(await models.config({ model: ref }, endpoint));
}

function withEntry(listed: readonly ListedModel[], entry: ListedModel): ListedModel[] {
  const at = listed.findIndex(({ model, provider }) => model === entry.model && provider === entry.provider);
  return at < 0 ? [...listed, entry] : listed.with(at, { ...listed[at]!, ...entry });
}

/** The one that most would take: made for code and tools, else the first that is no embedding, speech or picture model. */
function usual(offered: readonly OfferedModel[]): OfferedModel | undefined {
  const fit = offered.filter(({ model }) => !/embed|whisper|tts|audio|image|dall|moderation|rerank|guard|vision-only/i.test(model));
  return (
    [/(^|\/)gpt-5\.5$/, /coder|codex|devstral/i, /(^|\/)gpt-5/, /qwen3|gpt-oss|glm|kimi|deepseek/i]
      .map((name) => fit.find(({ model }) => name.test(model)))
      .find(Boolean) ?? fit[0]
  );
}

/** Throws `invalid-input` for what is no http or https address. */
export function checkUrl(text: string): void {
  const url = URL.parse(text);
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new Failure('invalid-input', `“${text}” is no http or https address.`, {
      fix: 'Give the base URL of the API, such as https://api.openai.com/v1.',
    });
  }
}
