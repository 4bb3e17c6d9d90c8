import { isCall, textOf } from '../history.ts';
import type { HistoryItem } from '../types.ts';

/** So many of the files that were changed are named after a compaction, the newest. */
const FILES = 30;
const OPEN = '<work_state>';
const PLAN = /^- \[(\w+)\] (.+)$/gm;

/** The text of a function call's argument, or of a custom call. */
function inputOf(item: HistoryItem): string {
  if (!isCall(item)) return '';
  return item.type === 'custom_tool_call' ? item.input : item.arguments;
}

function planOf(text: string): string[] {
  try {
    const { plan } = JSON.parse(text) as { plan?: { step?: unknown; status?: unknown }[] };
    return Array.isArray(plan) ? plan.map(({ step, status }) => `- [${String(status)}] ${String(step).replaceAll('\n', ' ')}`) : [];
  } catch {
    return [];
  }
}

/** Paths that a patch names; in a function call it is a string of the arguments. */
function filesOf(input: string): string[] {
  let patch = input;
  try {
    patch = Object.values(JSON.parse(input) as Record<string, unknown>).join('\n');
  } catch {
    /* the patch itself */
  }
  return [...patch.matchAll(/^\*\*\* (?:Add File|Update File|Move to): (.+?)\s*$/gm)].map((match) => match[1]!);
}

/**
 * The plan as it stands and the files that were changed, newest first, read from the history itself: they survive a
 * compaction to the letter, whatever the summary says. '' where there is neither.
 */
export function workState(history: readonly HistoryItem[]): string {
  let plan: string[] = [];
  const files = new Set<string>();
  const touch = (path: string): void => {
    files.delete(path);
    files.add(path);
  };
  for (const item of history) {
    if (isCall(item) && item.name === 'update_plan') {
      const told = planOf(inputOf(item));
      if (told.length) plan = told;
    } else if (isCall(item) && item.name === 'apply_patch') filesOf(inputOf(item)).forEach(touch);
    else if (item.type === 'message' && item.role === 'user') {
      const before = textOf(item);
      if (!before.includes(OPEN)) continue;
      // What an earlier compaction carried over.
      const state = before.slice(before.lastIndexOf(OPEN));
      plan = [...state.matchAll(PLAN)].map((match) => match[0]);
      [...state.matchAll(/^\* (.+)$/gm)].toReversed().forEach((match) => touch(match[1]!));
    }
  }
  const newest = [...files].toReversed().slice(0, FILES);
  if (!plan.length && !newest.length) return '';
  return [
    OPEN,
    ...(plan.length ? ['The plan as it stands:', ...plan] : []),
    ...(newest.length ? ['Files changed so far, newest first:', ...newest.map((path) => `* ${path}`)] : []),
    '</work_state>',
  ].join('\n');
}
