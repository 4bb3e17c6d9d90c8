import { expect, test } from 'vitest';
import { priced } from '../../agent-core/runtime/usage.ts';
import { rig } from '../harness/support/rig.ts';
import { say, twist, type Json } from '../model-server/index.ts';

const image = { type: 'input_image' as const, image_url: 'data:image/png;base64,iVBORw0KGgo=', detail: 'auto' as const };

test.each(['responses', 'chat'] as const)('a model that takes no images is sent a word in their place, over %s', async (wire) => {
  const t = await rig([[say('ok')], [say('ok')]], { server: { wires: [wire] } });
  t.history.push({ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Look' }, image] });
  const model = { model: 'blind', baseUrl: t.server.url, key: 'key', wire, contextWindow: 100_000 };
  await t.turn('And now', { model: { ...model, images: false } });
  expect(JSON.stringify(t.server.requests[0]!.chat ?? t.server.requests[0]!.body)).not.toContain('data:image/png');
  expect(JSON.stringify(t.server.requests[0]!.body)).toContain('takes none');
  // Corrected by the person, it is sent them from the next turn on.
  await t.turn('Try again', { model: { ...model, images: true } });
  expect(JSON.stringify(t.server.requests[1]!.chat ?? t.server.requests[1]!.body)).toContain('data:image/png');
  expect(t.server.refused).toEqual([]);
});

test('what a provider says that it charged wins over the price table', async () => {
  const charged = (chunks: Json[]): Json[] =>
    chunks.map((chunk) => (chunk['usage'] ? { ...chunk, usage: { ...(chunk['usage'] as Json), cost: 0.0123 } } : chunk));
  const t = await rig([[say('ok'), twist({ chunks: charged })]], { server: { wires: ['chat'] } });
  await t.turn('Go', { model: { model: 'm', baseUrl: t.server.url, key: 'key', wire: 'chat', contextWindow: 100_000 } });
  expect(t.spent.at(-1)!.cost).toBe(0.0123);
  expect(priced(t.spent.at(-1)!, { input: 99, cached: 99, output: 99 }).cost).toBe(0.0123);
});

test('cached input has its own price, and never more of it than there is input', () => {
  const usage = { inputTokens: 1_000_000, cachedTokens: 250_000, outputTokens: 100_000, reasoningTokens: 90_000, cost: null };
  expect(priced(usage, { input: 4, cached: 1, output: 10 }).cost).toBeCloseTo(3 + 0.25 + 1);
  expect(priced({ ...usage, cachedTokens: 9_000_000 }, { input: 4, cached: 1, output: 10 }).cost).toBeCloseTo(1 + 1);
  expect(priced(usage, null).cost).toBeNull();
});
