import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../contract/index.ts';
import type { Patience } from '../types.ts';
import { ModelFault } from './fault.ts';
import type { Limiter } from './limiter.ts';
import type { ModelCall, ModelPort, ModelReply, ModelRequest } from './port.ts';

export const PATIENCE: Patience = { requestRetries: 4, streamRetries: 5, pause: 200, maxPause: 30_000, idle: 300_000, tellAfter: 1_500 };

/** A provider that asks for more than this is not waited for. */
const LONGEST_WAIT = 3_600_000;

export interface Persistence {
  patience: Patience;
  limiter: Limiter;
  /** As `TurnHost.limited`. */
  limited(until: number | null): void;
}

/**
 * Retries around request and stream. Requests that got no stream and streams that broke are counted apart, the
 * first anew for each stream. Throws a `Failure` when all is used up or nothing is to be tried again.
 */
export function persistent(port: ModelPort, { patience, limiter, limited }: Persistence): ModelPort {
  return {
    async ask(request: ModelRequest, call: ModelCall): Promise<ModelReply> {
      const tries = { request: 0, limit: 0, stream: 0 };
      const told = new Waiting(patience.tellAfter, limited);
      try {
        for (;;) {
          await limiter.enter(call.signal, (until) => told.wait(until));
          told.over();
          const fault = await attempt(port, request, call, limiter);
          if (!(fault instanceof ModelFault)) return fault;
          const pause = pauseFor(fault, tries, patience);
          if (pause === null) {
            limiter.failed();
            throw exhausted(fault, tries);
          }
          if (fault.retry === 'limit') limiter.refused(pause);
          else {
            limiter.failed();
            await sleep(pause, undefined, { signal: call.signal });
          }
          await call.on({ type: 'restart' });
        }
      } finally {
        told.over();
      }
    },
  };
}

/** The reply, or the fault as a value. Anything else that is thrown (an abort, a listener's failure) goes through. */
async function attempt(port: ModelPort, request: ModelRequest, call: ModelCall, limiter: Limiter): Promise<ModelReply | ModelFault> {
  try {
    // The first word of a reply already shows that the provider takes requests again.
    const reply = await port.ask(request, {
      ...call,
      on: (event) => {
        limiter.passed();
        return call.on(event);
      },
    });
    limiter.passed();
    return reply;
  } catch (thrown) {
    if (thrown instanceof ModelFault) {
      if (thrown.retry === 'no') limiter.failed();
      return thrown;
    }
    limiter.failed();
    throw thrown;
  }
}

/** How long to wait before the next try; null when there is none. */
function pauseFor(fault: ModelFault, tries: { request: number; limit: number; stream: number }, patience: Patience): number | null {
  if (fault.retry === 'no') return null;
  const allowed = Math.min(fault.retry === 'stream' ? patience.streamRetries : patience.requestRetries, fault.atMost);
  if (fault.retry === 'stream') tries.request = 0;
  const count = tries[fault.retry]++;
  if (count >= allowed || (fault.after ?? 0) > LONGEST_WAIT) return null;
  const backoff =
    Math.min(patience.maxPause, patience.pause * 2 ** count * (fault.retry === 'limit' ? 4 : 1)) * (0.8 + Math.random() * 0.4);
  return fault.after === null ? backoff : fault.after + Math.random() * Math.min(patience.pause, 100);
}

function exhausted(fault: ModelFault, tries: { request: number; limit: number; stream: number }): Failure {
  const { code, message, ...more } = fault.app;
  const count = fault.retry === 'no' ? 1 : tries[fault.retry];
  return new Failure(code, count > 1 ? `${message.replace(/\.$/, '')} (${count} tries)` : message, more);
}

/** Tells about waits that a person would notice, and once when they are over. */
class Waiting {
  readonly #tellAfter: number;
  readonly #limited: (until: number | null) => void;
  #told: number | null = null;
  constructor(tellAfter: number, limited: (until: number | null) => void) {
    this.#tellAfter = tellAfter;
    this.#limited = limited;
  }
  wait(until: number): void {
    if (until - Date.now() < this.#tellAfter || until === this.#told) return;
    this.#told = until;
    this.#limited(until);
  }
  over(): void {
    if (this.#told === null) return;
    this.#told = null;
    this.#limited(null);
  }
}
