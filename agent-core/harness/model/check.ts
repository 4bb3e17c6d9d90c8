import type { ModelConfig } from '../types.ts';
import { failure } from './failure.ts';
import { ModelFault } from './fault.ts';
import { wireOf } from './wire.ts';

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
