import { z } from 'zod';
import type { Hook, HookEvent } from '../contract/index.ts';
import { truncateMiddle } from '../harness/tools/output.ts';
import type { Machine } from '../sandbox/types.ts';
import { matches } from './file.ts';

/** What hooks may add to what the model gets at one moment, in tokens: HARNESS facts 1.3. */
const CONTEXT_TOKENS = 2500;
const OUTPUT_LIMIT = 1024 * 1024;

/** Hooks with where they run. */
export interface Armed {
  hooks: readonly Hook[];
  machine: Machine;
  cwd: string;
  /** Whose they are, in words: “your hook”, “the project’s hook”. */
  whose: string;
}

export interface Verdict {
  /** Why it may not be, in words for the model; null where it may. */
  refuse: string | null;
  /** What the model is told besides; null where nothing. */
  context: string | null;
  /** What went wrong with hooks, in words for the person. */
  problems: string[];
}

const Answer = z.object({
  continue: z.boolean().optional(),
  stopReason: z.string().optional(),
  decision: z.string().optional(),
  reason: z.string().optional(),
  systemMessage: z.string().optional(),
  hookSpecificOutput: z
    .object({
      permissionDecision: z.string().optional(),
      permissionDecisionReason: z.string().optional(),
      additionalContext: z.string().optional(),
    })
    .optional(),
});

interface Said {
  refuse?: string;
  context?: string;
  problem?: string;
}

/**
 * Runs all hooks for one moment at once, each with its own time limit, and joins what they say: one refusal refuses. A hook
 * that fails in another way than by saying so (exit code 2) holds nothing up; it is a problem to be shown. Nothing is
 * ever allowed by a hook that a person would be asked about. Rejects only with the signal's reason.
 */
export async function runHooks(
  armed: readonly Armed[],
  event: HookEvent,
  input: Record<string, unknown>,
  signal: AbortSignal,
): Promise<Verdict> {
  const tool = typeof input['tool_name'] === 'string' ? input['tool_name'] : '';
  const text = `${JSON.stringify({ ...input, hook_event_name: event })}\n`;
  const said = await Promise.all(
    armed.flatMap((one) =>
      one.hooks.filter((hook) => hook.event === event && matches(hook.matcher, tool)).map((hook) => runOne(hook, one, text, signal)),
    ),
  );
  signal.throwIfAborted();
  const refusals = said.flatMap(({ refuse }) => (refuse === undefined ? [] : [refuse]));
  const context = said.flatMap((one) => (one.context ? [one.context] : [])).join('\n\n');
  return {
    refuse: refusals.length ? truncateMiddle(refusals.join('\n'), CONTEXT_TOKENS) : null,
    context: context ? truncateMiddle(context, CONTEXT_TOKENS) : null,
    problems: said.flatMap(({ problem }) => (problem === undefined ? [] : [problem])),
  };
}

async function runOne(hook: Hook, { machine, cwd, whose }: Armed, input: string, signal: AbortSignal): Promise<Said> {
  const late = AbortSignal.timeout(hook.timeoutSeconds * 1000);
  const name = `${whose} “${hook.command.slice(0, 80)}” (${hook.event})`;
  try {
    const done = await machine.collect({
      argv: ['/bin/sh', '-c', hook.command],
      cwd,
      input,
      limit: OUTPUT_LIMIT,
      signal: AbortSignal.any([signal, late]),
    });
    if (late.aborted) return { problem: `${name} took longer than ${hook.timeoutSeconds} s and was ended.` };
    const [out, err] = [done.stdout.toString('utf8').trim(), done.stderr.toString('utf8').trim()];
    if (done.code === 2) return { refuse: err || out || `${name} refused without a reason.` };
    if (done.code !== 0) return { problem: `${name} ended with ${done.code}: ${err.slice(-500)}` };
    return answerOf(hook.event, out, name);
  } catch (error) {
    return { problem: `${name} could not be run: ${error instanceof Error ? error.message : String(error)}` };
  }
}

function answerOf(event: HookEvent, out: string, name: string): Said {
  if (!out) return {};
  if (!out.startsWith('{')) return event === 'UserPromptSubmit' ? { context: out } : {};
  let given: unknown;
  try {
    given = JSON.parse(out);
  } catch (error) {
    return { problem: `${name} printed no valid JSON: ${String(error)}` };
  }
  const parsed = Answer.safeParse(given);
  if (!parsed.success) return { problem: `${name} printed an answer that is none: ${z.prettifyError(parsed.error)}` };
  const { decision, reason, stopReason, systemMessage, hookSpecificOutput: more } = parsed.data;
  const context = more?.additionalContext;
  const refused = decision === 'block' || more?.permissionDecision === 'deny' || parsed.data.continue === false;
  return {
    ...(refused ? { refuse: more?.permissionDecisionReason ?? reason ?? stopReason ?? `${name} refused without a reason.` } : {}),
    ...(context ? { context } : {}),
    ...(systemMessage ? { problem: truncateMiddle(systemMessage, CONTEXT_TOKENS) } : {}),
  };
}
