import type { Output } from './wire.ts';
import { failureText, heard, type Conversation, type Result } from './conversation.ts';

/** A tool call that a script makes. */
export type DemoCall =
  | {
      tool: 'exec_command';
      cmd: string;
      yield_time_ms?: number;
      sandbox_permissions?: 'require_escalated';
      justification?: string;
      prefix_rule?: string[];
    }
  | { tool: 'write_stdin'; session_id: number; chars: string }
  | { tool: 'apply_patch'; patch: string }
  | { tool: 'update_plan'; explanation?: string; plan: { step: string; status: 'pending' | 'in_progress' | 'completed' }[] };

/** One reply of the demo model: what it thinks, says and calls. Without calls it is its last. */
export interface Reply {
  think?: string;
  say?: string;
  calls: DemoCall[];
}

/**
 * A script is played from its start at each request: what it yielded before gets the results that the conversation
 * holds, so it must depend on nothing else. What it returns is its closing message.
 */
export type Script = () => Generator<Reply, string, Result[]>;

/** Tools that a script can do without: where the harness has none, the call is left out. */
const optional = new Set(['update_plan']);

function offered(calls: readonly DemoCall[], conversation: Conversation): DemoCall[] {
  return calls.filter((call) => conversation.tools.has(call.tool) || !optional.has(call.tool));
}

function output(call: DemoCall, conversation: Conversation): Output {
  const { tool, ...args } = call;
  if (call.tool !== 'apply_patch') return { type: 'function', name: tool, arguments: JSON.stringify(args) };
  if (conversation.tools.get('apply_patch') === 'custom') return { type: 'custom', name: tool, input: call.patch };
  return { type: 'function', name: tool, arguments: JSON.stringify({ input: call.patch }) };
}

function outputs(reply: Reply, calls: readonly DemoCall[], conversation: Conversation): Output[] {
  const parts: Output[] = [];
  if (reply.think) parts.push({ type: 'reasoning', text: reply.think });
  if (reply.say) parts.push({ type: 'message', text: reply.say });
  return [...parts, ...calls.map((call) => output(call, conversation))];
}

const last = (text: string): Output[] => [{ type: 'message', text }];

/** The next reply, and whether it is the script's last. */
export interface Played {
  outputs: Output[];
  last: boolean;
}

/** Plays a script against the rounds of the conversation since its prompt and gives what comes next. */
export function play(script: Script, conversation: Conversation): Played {
  const missing = (['exec_command', 'apply_patch'] as const).find((tool) => !conversation.tools.has(tool));
  if (missing) return { outputs: last(`This demo needs the tool \`${missing}\`, which I was not given. I changed nothing.`), last: true };
  const playing = script();
  const rounds = conversation.rounds.filter((round) => !round.some((result) => result.aborted));
  let next = playing.next();
  // Words of a reply whose only calls were left out go with the next one.
  let saved = '';
  for (let i = 0; !next.done;) {
    const calls = offered(next.value.calls, conversation);
    const say = [saved, next.value.say].filter(Boolean).join('\n\n');
    if (calls.length === 0) {
      saved = say;
      next = playing.next([]);
      continue;
    }
    const round = rounds[i];
    if (!round) {
      const note = heard(conversation);
      return { outputs: outputs({ ...next.value, say: [note, say].filter(Boolean).join('\n\n') }, calls, conversation), last: false };
    }
    if (round.length !== calls.length || round.some((result, at) => result.tool !== calls[at]?.tool)) {
      return {
        outputs: last('This conversation was begun by another version of the demo and I cannot go on with it. Please start the task anew.'),
        last: true,
      };
    }
    const failed = round.find((result) => result.failure);
    if (failed) return { outputs: last(failureText(failed)), last: true };
    saved = '';
    i += 1;
    next = playing.next(align(next.value.calls, calls, round));
  }
  return { outputs: last([heard(conversation), saved, next.value].filter(Boolean).join('\n\n')), last: true };
}

/** Results in the order of all calls of the script, those that were left out included. */
function align(all: readonly DemoCall[], made: readonly DemoCall[], round: readonly Result[]): Result[] {
  return all.map((call) => {
    const at = made.indexOf(call);
    return (
      (at >= 0 ? round[at] : undefined) ?? {
        tool: call.tool,
        text: '',
        output: '',
        exitCode: null,
        session: null,
        declined: null,
        aborted: false,
        failure: null,
      }
    );
  });
}
