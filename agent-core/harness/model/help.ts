import type { ModelConfig } from '../types.ts';
import { headersOf, urlOf } from './client.ts';
import { ModelFault, unknownModelWords } from './fault.ts';
import { leanFetch } from './http.ts';
import type { ModelPort } from './port.ts';

const PROBE_MS = 5000;
const wires = {
  responses: { path: '/responses', name: 'Responses', other: 'chat' },
  chat: { path: '/chat/completions', name: 'Chat Completions', other: 'responses' },
} as const;

/** Whether a path is served: an empty request is refused for its content, not for its address. */
async function serves(config: ModelConfig, path: string): Promise<boolean> {
  try {
    const reply = await leanFetch(urlOf(config, path), {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headersOf(config) },
      body: '{}',
      signal: AbortSignal.timeout(PROBE_MS),
    });
    await reply.text();
    return reply.status >= 400 && reply.status < 500 && reply.status !== 404 && reply.status !== 405;
  } catch {
    return false;
  }
}

/** An address that has no such API: 404 or 405, unless it is the model that is unknown there. */
function missing({ status, app }: ModelFault): boolean {
  const words = `${app.output ?? ''} ${app.message.replace(/^.* for this key/, '')}`;
  if (status === 405 || status === 501) return true;
  return status === 404 && !unknownModelWords.test(words) && (app.code === 'model-unreachable' || /url|path|route|endpoint/i.test(words));
}

/** Looks, when a server has not the API that was asked for, whether it has the other one, and says so in the fault's fix. */
export function withHelp(port: ModelPort, config: ModelConfig): ModelPort {
  const wire = wires[config.wire ?? 'responses'];
  const other = wires[wire.other];
  return {
    ask: async (request, call) => {
      try {
        return await port.ask(request, call);
      } catch (thrown) {
        if (!(thrown instanceof ModelFault) || !missing(thrown) || !(await serves(config, other.path))) throw thrown;
        throw new ModelFault(
          'model-unreachable',
          `${config.baseUrl} has no ${wire.name} API (${thrown.status}), but it has ${other.name}.`,
          {
            fix: `Set “API” to ${other.name} in Settings, or SIGNALBOX_WIRE=${wire.other} in the environment.`,
          },
        );
      }
    },
  };
}
