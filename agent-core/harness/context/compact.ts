import { Failure, type Usage } from '../../contract/index.ts';
import { isCall, isOutput, message, textOf } from '../history.ts';
import type { ModelCall, ModelPort } from '../model/port.ts';
import { tokensOf, truncateMiddle } from '../tools/output.ts';
import type { HistoryItem, TurnInput } from '../types.ts';
import { prefix } from './index.ts';
import { workState } from './work-state.ts';

/** The window may be this full before the history is compacted. */
const FULL = 0.9;
/** Of the person's own messages at most this much is kept, the newest first. */
const KEPT_USER_TOKENS = 20_000;

const ASK = `The conversation has become too long to go on as it is. Write the notes with which another agent, who sees only these notes and the person's messages, can take over now:
- what was asked, with every constraint and preference that was stated
- what is done, and how it was checked; what was tried and did not work
- what is left, in order, and the very next step
- files, names, commands and findings that are needed for it
Be exact and short. Do not call tools.`;
const HANDOVER =
  'Notes of the agent that worked on this before, because the conversation became too long. Build on them; the worktree holds the work itself.\n\n';

export const estimateTokens = (history: HistoryItem[]): number => tokensOf(Buffer.byteLength(JSON.stringify(history)));
export const mustCompact = (tokens: number, contextWindow: number): boolean => tokens >= contextWindow * FULL;

/** What the person wrote, without the context that we wrote in their name. */
const isOwn = (item: HistoryItem): boolean =>
  item.type === 'message' &&
  item.role === 'user' &&
  !/^(# AGENTS\.md instructions|<environment_context>|<turn_aborted>|<skill_mention>|Notes of the agent that worked on this before)/.test(
    textOf(item),
  );

function keptMessages(history: HistoryItem[]): HistoryItem[] {
  const kept: HistoryItem[] = [];
  let room = KEPT_USER_TOKENS;
  for (const item of history.filter(isOwn).toReversed()) {
    if (room <= 0) break;
    const text = textOf(item);
    const size = tokensOf(Buffer.byteLength(text));
    kept.unshift(size <= room ? item : message('user', truncateMiddle(text, room)));
    room -= size;
  }
  return kept;
}

const handover = (notes: string, history: HistoryItem[]): HistoryItem => {
  const state = workState(history);
  return message('user', HANDOVER + notes, ...(state ? [state] : []));
};

/**
 * A shorter history that the work can go on with: the prefix anew, the person's newest messages, and a summary by
 * the model, with the plan and the changed files to the letter. Where even the summary's request is too long, the oldest
 * steps are left out of it. `hint` is what the person wants kept above all.
 * Throws the model's `Failure` when no summary can be had.
 */
export async function compacted(
  history: HistoryItem[],
  input: TurnInput,
  skills: string | null,
  model: ModelPort,
  call: ModelCall,
  hint = '',
): Promise<{ history: HistoryItem[]; usage: Usage }> {
  let source = history;
  const ask = hint ? `${ASK}\nThe person adds: ${hint}` : ASK;
  for (;;) {
    try {
      const { items, usage } = await model.ask({ input: [...source, message('user', ask)], tools: [], cacheKey: input.threadId }, call);
      const notes = items.map(textOf).join('\n').trim();
      if (!notes)
        throw new Failure('model-bad-reply', 'The model wrote no summary of the long conversation.', {
          fix: 'Try again, or go on in a new task.',
        });
      return { history: [...(await prefix(input, skills)), ...keptMessages(history), handover(notes, history)], usage };
    } catch (thrown) {
      const shorter = thrown instanceof Failure && thrown.detail.code === 'context-overflow' ? withoutOldest(source) : null;
      if (!shorter) throw thrown;
      source = shorter;
    }
  }
}

/** Where no summary can be had, this much of the window is kept of the newest steps. */
const CLIPPED = 0.4;

/** A shorter history without a summary: the prefix, the person's newest messages, the work's state, and the newest steps as they were. */
export async function clipped(history: HistoryItem[], input: TurnInput, skills: string | null): Promise<HistoryItem[]> {
  const begin = newestSteps(history, input.model.contextWindow * CLIPPED);
  const older = history.slice(0, begin);
  const notes = 'No notes could be written: the oldest steps are left out, the newest follow as they were.';
  return [...(await prefix(input, skills)), ...keptMessages(older), handover(notes, history), ...history.slice(begin)];
}

/** Where the newest whole steps begin that fit into so many tokens. */
function newestSteps(history: HistoryItem[], tokens: number): number {
  let room = tokens;
  let begin = history.length;
  for (let at = history.length - 1; at >= 0; at -= 1) {
    room -= estimateTokens([history[at]!]);
    if (room < 0) break;
    const before = history[at - 1];
    // Between a call and its output, or a thought and what came of it, nothing is cut.
    if (!isOutput(history[at]!) && !(before && (isCall(before) || before.type === 'reasoning'))) begin = at;
  }
  return begin;
}

/** Leaves out the oldest quarter after the prefix, whole steps only; null when there is nothing left to leave out. */
function withoutOldest(history: HistoryItem[]): HistoryItem[] | null {
  const begin = history.findIndex((item) => item.type !== 'message');
  if (begin < 0 || history.length - begin < 2) return null;
  let end = begin + Math.max(1, Math.ceil((history.length - begin) / 4));
  while (
    end < history.length &&
    (history[end]!.type === 'function_call_output' ||
      history[end]!.type === 'custom_tool_call_output' ||
      history[end - 1]!.type === 'function_call' ||
      history[end - 1]!.type === 'custom_tool_call' ||
      history[end - 1]!.type === 'reasoning')
  )
    end += 1;
  return [...history.slice(0, begin), ...history.slice(end)];
}
