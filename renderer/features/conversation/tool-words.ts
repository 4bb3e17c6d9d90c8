import type { FileChange } from '../../../agent-core/contract/index.ts';
import { plural } from '../../ui/index.ts';
import { visibleLine } from '../../ui/safe-text.ts';
import { plainOutput } from './ansi.ts';
import type { ToolItem } from './rows.ts';

/** One line for a tool call: what was done, to what, how it ended. */
export interface ToolWords {
  verb: string;
  subject: string;
  result: string;
  tone: 'ok' | 'bad' | 'muted' | 'waiting';
}

const sum = (changes: readonly FileChange[], side: 'added' | 'removed'): number =>
  changes.reduce((total, change) => total + change[side], 0);
export const linesOf = (changes: readonly FileChange[]): { added: number; removed: number } => ({
  added: sum(changes, 'added'),
  removed: sum(changes, 'removed'),
});

/** Counts that test runners print at the end, such as "128 passed, 1 failed"; null when none is there. */
export function testCount(output: string): { text: string; failed: boolean } | null {
  const tail = plainOutput(output.slice(-4000));
  const tap = { pass: /^# pass (\d+)$/m.exec(tail)?.[1], fail: /^# fail (\d+)$/m.exec(tail)?.[1] };
  const spec = { pass: /^ℹ pass (\d+)$/m.exec(tail)?.[1], fail: /^ℹ fail (\d+)$/m.exec(tail)?.[1] };
  const passed = tap.pass ?? spec.pass ?? /(\d+) (?:tests? )?pass(?:ed|ing)/.exec(tail)?.[1];
  const failed = Number(tap.fail ?? spec.fail ?? /(\d+) (?:tests? )?fail(?:ed|ing|ures?)/.exec(tail)?.[1] ?? 0);
  if (passed === undefined && failed === 0) return null;
  if (failed > 0) return { text: `${failed} of ${failed + Number(passed ?? 0)} failed`, failed: true };
  return { text: `${passed} passed`, failed: false };
}

function commandResult(item: Extract<ToolItem, { type: 'command' }>): Pick<ToolWords, 'result' | 'tone'> {
  if (item.status === 'running') return { result: item.sessionId === null ? 'running' : 'in the background', tone: 'muted' };
  if (item.status === 'declined') return { result: 'declined', tone: 'bad' };
  if (item.status === 'interrupted') return { result: 'stopped', tone: 'muted' };
  if (item.limit) return { result: 'hit a limit', tone: 'bad' };
  const count = testCount(item.output);
  if (count) return { result: count.text, tone: count.failed ? 'bad' : 'ok' };
  if (item.exitCode === 0) return { result: '', tone: 'muted' };
  return { result: item.exitCode === null ? 'failed' : `exit ${item.exitCode}`, tone: 'bad' };
}

function changeWords(item: Extract<ToolItem, { type: 'fileChange' }>): ToolWords {
  const [only] = item.changes;
  const one = item.changes.length === 1 && only;
  const verbs = { add: 'Added', update: 'Edited', delete: 'Deleted' } as const;
  const running = item.status === 'running';
  const result =
    item.status === 'declined'
      ? 'declined'
      : item.status === 'failed'
        ? 'failed'
        : item.status === 'interrupted'
          ? 'stopped'
          : running
            ? 'editing'
            : '';
  return {
    verb: one ? verbs[only.kind] : `Edited ${plural(item.changes.length, 'file')}`,
    subject: one ? visibleLine(only.movedTo ? `${only.path} → ${only.movedTo}` : only.path) : '',
    result,
    tone: item.status === 'failed' || item.status === 'declined' ? 'bad' : 'muted',
  };
}

const waitingWords = (item: ToolItem): Pick<ToolWords, 'verb' | 'result' | 'tone'> => ({
  verb: item.type === 'command' ? 'Wants to run' : item.type === 'fileChange' ? 'Wants to edit' : 'Wants to call',
  result: 'waits for you',
  tone: 'waiting',
});

const outcome = { running: 'running', completed: '', failed: 'failed', declined: 'declined', interrupted: 'stopped' } as const;

function queryIn(args: string): string {
  try {
    const { query } = JSON.parse(args) as { query?: unknown };
    return typeof query === 'string' ? query : '';
  } catch {
    return '';
  }
}

/** A search by the model's provider: what was looked for, and how many places it read. */
function searchWords({ arguments: args, output }: Extract<ToolItem, { type: 'toolCall' }>): ToolWords {
  const query = queryIn(args);
  const sources = output.split('\n').filter(Boolean).length;
  return { verb: 'Searched the web', subject: visibleLine(query), result: sources ? plural(sources, 'source') : '', tone: 'muted' };
}

/** The words of a tool call's line. Text from the agent comes back with hidden characters made visible. */
export function toolWords(item: ToolItem, waiting = false): ToolWords {
  if (waiting) return { ...toolWords(item), ...waitingWords(item) };
  switch (item.type) {
    case 'command': {
      const verb = item.status === 'running' ? 'Running' : 'Ran';
      if (item.script) return { verb: `${verb} the ${item.script} script`, subject: '', ...commandResult(item) };
      return { verb: item.outside ? `${verb} outside the sandbox` : verb, subject: visibleLine(item.command), ...commandResult(item) };
    }
    case 'fileChange':
      return changeWords(item);
    case 'toolCall':
      if (item.name === 'web_search') return searchWords(item);
      return {
        verb: 'Called',
        subject: visibleLine(item.name),
        result: outcome[item.status],
        tone: item.status === 'failed' || item.status === 'declined' ? 'bad' : 'muted',
      };
    case 'reasoning':
      return { verb: item.endedAt === null ? 'Thinking' : 'Thought', subject: '', result: '', tone: 'muted' };
  }
}
