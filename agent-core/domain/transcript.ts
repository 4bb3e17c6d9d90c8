import type { Item, Task, Turn } from '../contract/index.ts';

/** A fence that is longer than any in the text. */
function fenced(text: string, language = ''): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map((match) => match[0].length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${text.replace(/\n$/, '')}\n${fence}`;
}

const quoted = (text: string): string => text.replaceAll(/^/gm, '> ');
const day = (at: number): string => new Date(at).toISOString().replace('T', ' ').slice(0, 16);
const via = { prompt: '', steer: ' (while it worked)', queue: ' (from the queue)' } as const;
const boxes = { completed: '[x]', in_progress: '[ ] *now:*', pending: '[ ]' } as const;

/** The head of a transcript. */
export function headMarkdown(task: Task, project: string): string {
  return `# ${task.title}\n\n${[`Project: ${project}`, `Base: ${task.base.ref}`, `Model: ${task.model}`, `Begun: ${day(task.createdAt)} UTC`].map((line) => `- ${line}`).join('\n')}\n`;
}

export const turnMarkdown = (turn: Turn): string => `\n## Turn ${turn.number}\n`;

/** How a turn ended, where it did not end well. */
export function endMarkdown(turn: Turn): string {
  if (turn.status === 'failed') return `\n*The turn failed: ${turn.error?.message ?? 'without a reason'}*\n`;
  if (turn.status === 'interrupted') return `\n*The turn was ${turn.interruptedBy === 'crash' ? 'cut off' : 'stopped'}.*\n`;
  return '';
}

/** One item; '' where there is nothing to say. */
export function itemMarkdown(item: Item): string {
  const text = wordsOf(item);
  return text ? `\n${text}\n` : '';
}

function wordsOf(item: Item): string {
  switch (item.type) {
    case 'userMessage':
      return `**You**${via[item.via]}\n\n${quoted(item.text)}`;
    case 'agentMessage':
      return item.text.trim();
    case 'reasoning':
      return item.text.trim() && `<details><summary>Reasoning</summary>\n\n${item.text.trim()}\n\n</details>`;
    case 'command': {
      const end = item.exitCode === null ? item.status : `exit code ${item.exitCode}`;
      return `**Command** (${end}${item.outside ? ', outside the sandbox' : ''})\n\n${fenced(item.command, 'sh')}${item.output ? `\n\n${fenced(item.output)}` : ''}`;
    }
    case 'fileChange':
      return `**Changes** (${item.error ?? item.status})\n\n${item.changes.map((change) => `- ${change.kind} \`${change.movedTo ?? change.path}\` +${change.added} −${change.removed}`).join('\n')}`;
    case 'plan':
      return `**Plan**\n\n${item.steps.map((step) => `- ${boxes[step.status]} ${step.step}`).join('\n')}`;
    case 'proposal':
      return `**Proposed plan**${item.title ? `: ${item.title}` : ''}\n\n${item.text}\n\n${item.steps.map((step, at) => `${at + 1}. ${step.text}`).join('\n')}`;
    case 'toolCall':
      return `**Tool** \`${item.name}\` (${item.status})\n\n${fenced(item.arguments, 'json')}${item.output ? `\n\n${fenced(item.output)}` : ''}`;
    case 'approval':
      return `**Approval** (${item.decision}): \`${item.subject}\`${item.reason ? ` — ${item.reason}` : ''}`;
    case 'denial':
      return `**Blocked** (${item.decision}): \`${item.subject}\``;
    case 'question':
      return `**Question**\n\n${quoted(item.text)}\n\n${item.answer === null ? '*No answer.*' : item.answer}`;
    case 'notice':
      return `*${item.text || item.error?.message || ''}*`;
    default:
      return '';
  }
}
