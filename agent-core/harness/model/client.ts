import OpenAI from 'openai';
import type { ModelConfig } from '../types.ts';
import { leanFetch } from './http.ts';

const clients = new Map<string, OpenAI>();

/** Azure takes its keys in a header of their own (learn.microsoft.com, "Azure OpenAI API authentication"). */
export const headersOf = (config: ModelConfig): Record<string, string> =>
  config.auth === 'api-key' ? { 'api-key': config.key || 'none' } : { authorization: `Bearer ${config.key || 'none'}` };

/** The address of one of a provider's paths, with what its base URL and `apiVersion` put behind it. */
export function urlOf(config: ModelConfig, path: string): string {
  const url = new URL(config.baseUrl);
  url.pathname = url.pathname.replace(/\/+$/, '') + path;
  if (config.apiVersion) url.searchParams.set('api-version', config.apiVersion);
  return url.href;
}

/** One client per provider and key. It never retries and never times out: both are ours. */
export function clientFor(config: ModelConfig): OpenAI {
  const id = [config.baseUrl, config.key, config.auth, config.apiVersion].join('\n');
  let client = clients.get(id);
  if (!client) {
    client = new OpenAI({
      baseURL: config.baseUrl,
      apiKey: config.key || 'none',
      maxRetries: 0,
      timeout: 2 ** 31 - 1,
      fetch: leanFetch,
      logLevel: 'off',
      ...(config.auth === 'api-key' ? { defaultHeaders: { ...headersOf(config), authorization: null } } : {}),
      ...(config.apiVersion ? { defaultQuery: { 'api-version': config.apiVersion } } : {}),
    });
    clients.set(id, client);
  }
  return client;
}
