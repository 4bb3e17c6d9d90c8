import { Failure } from '../../contract/index.ts';
import type { ModelConfig } from '../types.ts';
import { clientFor } from './client.ts';
import { ModelFault, toFault } from './fault.ts';
import { wireOf } from './wire.ts';

const failure = (fault: ModelFault): Failure => {
  const { code, message, ...more } = fault.app;
  return new Failure(code, message, more);
};

/**
 * Asks the model for one word, once, without retries. Throws `Failure` with a `model-*` code that says what is wrong
 * with the key, the address or the name. Aborted after `timeout` ms.
 */
export async function testModel(config: ModelConfig, timeout = 30_000): Promise<{ model: string; ms: number }> {
  const began = performance.now();
  try {
    await wireOf(config, timeout).ask(
      { input: [{ type: 'message', role: 'user', content: 'Answer with the one word: ready' }], tools: [], cacheKey: 'check' },
      { signal: new AbortController().signal, on: () => {} },
    );
  } catch (thrown) {
    throw thrown instanceof ModelFault ? failure(thrown) : thrown;
  }
  return { model: config.model, ms: Math.round(performance.now() - began) };
}

/** The ids that `GET /models` offers, sorted; throws `Failure` like {@link testModel}. */
export async function listModels(config: ModelConfig, timeout = 15_000): Promise<string[]> {
  try {
    const page = await clientFor(config).models.list({ signal: AbortSignal.timeout(timeout) });
    // The client makes an empty page of anything that is no list.
    if (!page.data.length && page.object !== 'list')
      throw new ModelFault('model-bad-reply', `${config.baseUrl} has no list of models.`, {
        fix: 'Type the name of the model in Settings.',
      });
    return page.data.map((model) => model.id).toSorted();
  } catch (thrown) {
    throw failure(toFault(thrown, config, false));
  }
}
