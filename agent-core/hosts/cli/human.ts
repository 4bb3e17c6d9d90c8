import type { Item } from '../../contract/index.ts';
import type { Ending, Line } from './feed.ts';
import { print, say } from './print.ts';

const color = process.stderr.isTTY && !process.env['NO_COLOR'];
const paint = (code: number, text: string): string => (color ? `\x1b[${code}m${text}\x1b[0m` : text);
const dim = (text: string): string => paint(2, text);

/** What an item has to say once it is done, in a line or few; null for what needs no telling. */
function tell(item: Item): string | null {
  switch (item.type) {
    case 'agentMessage':
      return item.text.trim() || null;
    case 'command': {
      const mark =
        item.status === 'declined'
          ? paint(33, 'declined')
          : item.exitCode === 0
            ? paint(32, '✓')
            : item.exitCode === null
              ? '…'
              : paint(31, `✗ ${item.exitCode}`);
      return `${dim('$')} ${item.command.split('\n').join(`\n${dim('>')} `)}  ${mark}`;
    }
    case 'fileChange':
      return (
        item.changes
          .map(
            ({ kind, path, movedTo, added, removed }) =>
              `${dim(kind)} ${path}${movedTo ? ` → ${movedTo}` : ''} ${paint(32, `+${added}`)} ${paint(31, `−${removed}`)}`,
          )
          .join('\n') || item.error
      );
    case 'plan':
      return item.steps
        .map(({ step, status }) => `${status === 'completed' ? '☑' : status === 'in_progress' ? '▸' : '☐'} ${step}`)
        .join('\n');
    case 'proposal':
      return item.steps.map(({ text }, index) => `${index + 1}. ${text}`).join('\n');
    case 'toolCall':
      return dim(`${item.name}`);
    case 'approval':
      return item.decision === 'pending' ? null : dim(`${item.decision}: ${item.subject}`);
    case 'denial':
      return paint(33, `${item.kind === 'file' ? 'set aside' : 'not reached'}: ${item.subject}  ${item.detail}`);
    case 'notice':
      return item.level === 'info' ? dim(item.text) : paint(33, item.text);
    case 'question':
      return `? ${item.text}`;
    case 'userMessage':
    case 'reasoning':
      return null;
  }
}

const tokens = (count: number): string => (count < 1000 ? String(count) : `${(count / 1000).toFixed(1)}k`);

function close(ending: Ending): void {
  const word = { 'turn.completed': paint(32, 'Done'), 'turn.failed': paint(31, 'Failed'), 'turn.interrupted': paint(33, 'Interrupted') }[
    ending.type
  ];
  if (ending.type !== 'turn.completed') say(`${word}: ${ending.message}${ending.error?.fix ? `\n  ${ending.error.fix}` : ''}`);
  else say(word);
  if (ending.branch) say(dim(`branch ${ending.branch}`));
  if (ending.worktree) say(dim(`in ${ending.worktree}`));
  say(dim(`${tokens(ending.usage.inputTokens)} tokens in, ${tokens(ending.usage.outputTokens)} out`));
}

/** Tells lines to a person: what the agent says on stdout, what happens beside it on stderr. `label` names the task where there are several. */
export function tellLine(line: Line, label = ''): void {
  const head = label ? `${dim(`[${label}]`)} ` : '';
  switch (line.type) {
    case 'task.created':
      say(`${head}${line.title} ${dim(`· ${line.model === 'demo' ? 'Demo model (offline)' : line.model}`)}`);
      break;
    case 'workspace.ready':
      say(head + dim(`worktree ${line.worktree} on ${line.branch}`));
      break;
    case 'item.completed': {
      const text = tell(line.item);
      if (text) {
        if (line.item.type === 'agentMessage') print(head + text);
        else say(head + text);
      }
      break;
    }
    case 'approval.requested':
      say(
        `${head}${paint(33, 'Waits for approval')}: ${line.approval.subject}\n  ${line.approval.reason}\n  Answer it in the app (signalbox).`,
      );
      break;
    case 'turn.completed':
    case 'turn.failed':
    case 'turn.interrupted':
      if (head)
        say(
          `${head}${line.type.slice(5)}${line.type === 'turn.completed' ? '' : `: ${line.message}`}${line.branch ? dim(` · ${line.branch}`) : ''}`,
        );
      else close(line);
      break;
    default:
  }
}
