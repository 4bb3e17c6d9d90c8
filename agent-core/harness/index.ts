import { toAppError } from '../contract/index.ts';
import { account } from './context/account.ts';
import { TurnLoop } from './loop.ts';
import { offered } from './tools/index.ts';
import { Sessions } from './tools/session.ts';
import type { HistoryItem, ThreadSessions, TurnHost, TurnInput, TurnOutcome } from './types.ts';

export { ruleAllows, suggestPrefix } from './approvals/rules.ts';
export { testModel } from './model/index.ts';
export type { HistoryItem, ModelConfig, Patience, ThreadSessions, TurnHost, TurnInput, TurnOutcome } from './types.ts';

/** What a request with this history would hold, part by part; our tools and those of servers included. */
export function contextOf(
  history: readonly HistoryItem[],
  input: Pick<TurnInput, 'model' | 'mode' | 'approval' | 'serverTools'>,
): ReturnType<typeof account> {
  return account(history, offered(input as TurnInput));
}

/** The place of a thread's background commands. One per thread; dispose it when the thread is closed. */
export const createSessions = (): ThreadSessions => new Sessions();

/**
 * Runs one turn to its end. Never throws for what the model, the network or a command does: that is an outcome.
 * When it resolves, all that it told `host` is durable and nothing of it runs on, except background commands.
 * Aborted by `input.signal`; then the outcome is `interrupted` and the history can be gone on with.
 */
export async function runTurn(input: TurnInput & { sessions: ThreadSessions }, host: TurnHost): Promise<TurnOutcome> {
  if (!(input.sessions instanceof Sessions)) throw new TypeError('sessions must come from createSessions()');
  try {
    return await new TurnLoop(input, host, input.sessions).run();
  } catch (thrown) {
    // Only the host's own store can fail here: there is nowhere left to record more.
    return { status: 'failed', error: toAppError(thrown), message: '' };
  }
}
