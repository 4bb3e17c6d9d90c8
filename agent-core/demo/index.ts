import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { answer } from './answer.ts';
import type { DemoRequest } from './conversation.ts';
import { listen, readBody, sendJson, startStream, writeEvents } from './http.ts';
import { errorBody, modelList, responseEvents } from './wire.ts';

export { DEMO_PROMPTS, type DemoPrompt } from './prompts.ts';
export { SAMPLE_COMMITS, SAMPLE_NAME, sampleCommits, sampleFiles, type SampleCommit } from './sample.ts';

export const DEMO_MODEL_ID = 'demo';

export interface DemoModel {
  /** Base URL for the Responses wire, ending in `/v1`, on a free loopback port. */
  url: string;
  /** The bearer token that it wants, new at each start. */
  key: string;
  close(): Promise<void>;
}

/** Milliseconds a word, and of thought before each reply, at which a person can read along. */
const HUMAN_PACE = 24;
const THINKING_WORDS = 14;

function knows(request: IncomingMessage, key: string): boolean {
  const given = Buffer.from(request.headers.authorization ?? '');
  const wanted = Buffer.from(`Bearer ${key}`);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

/** A page in a browser always names an origin, and a rebound name another host: neither gets in. */
const fromPage = (request: IncomingMessage) =>
  request.headers.origin !== undefined || !/^127\.0\.0\.1:\d+$/.test(request.headers.host ?? '');

async function respond(incoming: IncomingMessage, response: ServerResponse, pace: number): Promise<void> {
  let request: DemoRequest;
  try {
    request = JSON.parse(await readBody(incoming)) as DemoRequest;
    if (!Array.isArray(request.input) || typeof request.model !== 'string') throw new TypeError('no input');
  } catch {
    return sendJson(response, 400, errorBody('The request needs a JSON body with `model` and `input`.', 'invalid_request_error'));
  }
  if (request.model !== DEMO_MODEL_ID) {
    return sendJson(
      response,
      404,
      errorBody(`The model \`${request.model}\` does not exist.`, 'invalid_request_error', 'model_not_found', 'model'),
    );
  }
  const outputs = answer(request);
  const input = Math.ceil(Buffer.byteLength(JSON.stringify(request.input)) / 4);
  const output = Math.ceil(Buffer.byteLength(JSON.stringify(outputs)) / 4);
  const events = [...responseEvents(request, outputs, { usage: { input, cached: 0, output, reasoning: 0 } })];
  if (request.stream !== true) return sendJson(response, 200, events.at(-1)?.['response']);
  startStream(response);
  if (pace > 0) await sleep(pace * THINKING_WORDS);
  await writeEvents(response, events, pace);
  response.end();
}

/**
 * Starts the offline demo model. `pace` is the milliseconds between two words, 0 for none. Nothing is kept between
 * requests; closing cuts what is being streamed.
 */
export async function startDemoModel({ pace = HUMAN_PACE }: { pace?: number } = {}): Promise<DemoModel> {
  const key = `demo-${randomBytes(24).toString('hex')}`;
  const { origin, close } = await listen(async (request, response) => {
    if (fromPage(request) || !knows(request, key)) {
      return sendJson(
        response,
        401,
        errorBody('The demo model only answers its own Signalbox.', 'invalid_request_error', 'invalid_api_key'),
      );
    }
    if (request.method === 'POST' && request.url === '/v1/responses') return respond(request, response, pace);
    if (request.method === 'GET' && request.url === '/v1/models') return sendJson(response, 200, modelList([DEMO_MODEL_ID], 'signalbox'));
    sendJson(response, 404, errorBody(`Invalid URL (${request.method} ${request.url})`, 'invalid_request_error'));
  });
  return { url: `${origin}/v1`, key, close };
}
