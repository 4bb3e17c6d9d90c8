import { createServer } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import type { ProviderKind } from '../../agent-core/contract/index.ts';
import { offers } from '../../agent-core/harness/model/index.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(() => Promise.all(closing.splice(0).map((close) => close())));

/** What a server of this kind offers, given its answers by path. */
async function read(kind: ProviderKind, answers: Record<string, unknown>) {
  const server = createServer((request, response) => {
    const answer = answers[request.url ?? ''];
    response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer ?? { error: { message: 'no such path' } }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => new Promise((resolve) => void server.close(() => resolve())));
  const { port } = server.address() as { port: number };
  return offers({ model: '', baseUrl: `http://127.0.0.1:${port}/v1`, key: '', contextWindow: 1 }, kind);
}

test('OpenRouter tells windows, prices for a million tokens, images and reasoning', async () => {
  const data = [
    {
      id: 'openai/gpt-x',
      context_length: 400000,
      architecture: { input_modalities: ['text', 'image'] },
      pricing: { prompt: '0.0000025', completion: '0.00001', input_cache_read: '0.00000025' },
      supported_parameters: ['tools', 'reasoning'],
    },
    {
      id: 'free/one',
      context_length: null,
      architecture: { input_modalities: ['text'] },
      pricing: { prompt: '0', completion: '0' },
      supported_parameters: ['tools'],
    },
    { id: 'auto/router', pricing: { prompt: '-1', completion: '-1' } },
    { no: 'id' },
  ];
  expect(await read('openrouter', { '/v1/models': { data } })).toEqual([
    { model: 'auto/router', facts: {} },
    { model: 'free/one', facts: { images: false, efforts: [], price: { input: 0, cached: 0, output: 0 } } },
    {
      model: 'openai/gpt-x',
      facts: { contextWindow: 400_000, images: true, efforts: ['low', 'medium', 'high'], price: { input: 2.5, cached: 0.25, output: 10 } },
    },
  ]);
});

test('vLLM, LM Studio and Ollama tell their windows, each in its own place', async () => {
  const names = { object: 'list', data: [{ id: 'qwen3' }] };
  expect(await read('vllm', { '/v1/models': { object: 'list', data: [{ id: 'qwen3', max_model_len: 32768 }] } })).toEqual([
    { model: 'qwen3', facts: { contextWindow: 32_768 } },
  ]);
  expect(
    await read('lmstudio', { '/v1/models': names, '/api/v0/models': { data: [{ id: 'qwen3', type: 'vlm', max_context_length: 131072 }] } }),
  ).toEqual([{ model: 'qwen3', facts: { contextWindow: 131_072, images: true } }]);
  expect(
    await read('ollama', {
      '/v1/models': names,
      '/api/show': {
        capabilities: ['completion', 'tools'],
        model_info: { 'general.architecture': 'qwen3', 'qwen3.context_length': 40960 },
      },
    }),
  ).toEqual([{ model: 'qwen3', facts: { contextWindow: 40_960, images: false } }]);
  expect(await read('ollama', { '/v1/models': names })).toEqual([{ model: 'qwen3', facts: {} }]);
});

test('an answer that is no list is told as that', async () => {
  await expect(read('other', { '/v1/models': { hello: 'world' } })).rejects.toMatchObject({ detail: { code: 'model-bad-reply' } });
});
