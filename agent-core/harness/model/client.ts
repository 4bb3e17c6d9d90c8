import OpenAI from 'openai';
import type { ModelConfig } from '../types.ts';
import { leanFetch } from './http.ts';

const clients = new Map<string, OpenAI>();

/** One client per provider and key. It never retries and never times out: both are ours. */
export function clientFor(config: ModelConfig): OpenAI {
  const id = `${config.baseUrl}\n${config.key}`;
  let client = clients.get(id);
  if (!client) {
    client = new OpenAI({
      baseURL: config.baseUrl,
      apiKey: config.key || 'none',
      maxRetries: 0,
      timeout: 2 ** 31 - 1,
      fetch: leanFetch,
      logLevel: 'off',
    });
    clients.set(id, client);
  }
  return client;
}
