import { MAX_STEPS, type ItemOf, type ProposalStep } from '../contract/index.ts';

type Proposal = Pick<ItemOf<'proposal'>, 'title' | 'text' | 'steps'>;

const block = /<proposed_plan>([\s\S]*?)(?:<\/proposed_plan>|$)/g;
const bullet = /^( {0,3})(?:\d{1,3}[.)]|[-*+])\s+(?:\[[ xX]\]\s+)?(.*)$/;
const needs = /\s*\(after:?\s+(?:steps?\s+)?(\d{1,3}(?:\s*(?:,|and|&)\s*\d{1,3})*)\)\s*\.?\s*$/i;

/** A model may say a line of any length; one that is longer than this is no heading and names no other steps, so that reading it takes no time. */
const LONG = 4000;

/** Whitespace that every line of a block has before it is taken off. */
function outdent(lines: readonly string[]): string {
  const deep = Math.min(...lines.filter((line) => line.trim()).map((line) => line.search(/\S/)));
  return lines
    .map((line) => line.slice(Number.isFinite(deep) ? deep : 0))
    .join('\n')
    .trim();
}

/**
 * The plan in a model's last message: the newest `<proposed_plan>`, its heading, the items of its list as steps and the
 * rest as text. An item's further lines are its detail, “(after 1, 2)” at its end names the steps it needs. A block
 * without a list is one step. Null where there is no block, or nothing in it.
 */
export function proposalOf(message: string): Proposal | null {
  const body = [...message.matchAll(block)].at(-1)?.[1];
  if (!body?.trim()) return null;
  let title = '';
  const text: string[] = [];
  const found: { line: string; detail: string[] }[] = [];
  let fenced = false;
  for (const line of body.replaceAll('\r', '').split('\n')) {
    const at = fenced ? null : bullet.exec(line);
    if (/^\s*(```|~~~)/.test(line)) fenced = !fenced;
    const heading = fenced || line.length > LONG ? null : /^#{1,6}\s+(.+?)\s*#*$/.exec(line);
    if (at && (at[1] ?? '').length < 2 && at[2]!.trim()) found.push({ line: at[2]!.trim(), detail: [] });
    else if (heading && !title && !found.length) title = heading[1]!;
    else if (found.length && (fenced || /^\s/.test(line) || !line.trim())) found.at(-1)!.detail.push(line);
    else text.push(line);
  }
  if (!found.length)
    return { title, text: '', steps: [{ id: 's1', text: title || 'Carry out the plan', detail: body.trim(), after: [], taskId: null }] };
  return { title, text: text.join('\n').trim(), steps: stepsOf(found.slice(0, MAX_STEPS)) };
}

function stepsOf(found: readonly { line: string; detail: string[] }[]): ProposalStep[] {
  return found.map(({ line, detail }, index) => {
    const marked = line.length > LONG ? null : needs.exec(line);
    const after = (marked?.[1]?.match(/\d+/g) ?? []).map(Number).filter((n) => n >= 1 && n <= found.length && n !== index + 1);
    const text = (marked ? line.slice(0, marked.index) : line).replace(/^\*\*(.+?)\*\*/, '$1').trim() || line;
    return {
      id: `s${index + 1}`,
      text: text.slice(0, 2000),
      detail: outdent(detail).slice(0, 20_000),
      after: [...new Set(after)].map((n) => `s${n}`),
      taskId: null,
    };
  });
}

/** Why these steps can't be a plan, in words; null when they can. */
export function flawOf(steps: readonly Pick<ProposalStep, 'id' | 'text' | 'after'>[]): string | null {
  const ids = new Set(steps.map(({ id }) => id));
  if (ids.size < steps.length) return 'Two steps of the plan have the same id.';
  const lost = steps.find(({ after }) => after.some((id) => !ids.has(id)));
  if (lost) return `“${lost.text}” needs a step that is not in the plan.`;
  const done = new Set<string>();
  for (let left = [...steps]; left.length;) {
    const ready = left.filter(({ after }) => after.every((id) => done.has(id)));
    if (!ready.length) return `Steps wait for each other in a circle: ${left.map(({ text }) => `“${text}”`).join(', ')}.`;
    for (const { id } of ready) done.add(id);
    left = left.filter(({ id }) => !done.has(id));
  }
  return null;
}

const numbered = (steps: readonly ProposalStep[]): string =>
  steps
    .map(({ text, detail, after }, index) => {
      const on = after.map((id) => steps.findIndex((step) => step.id === id) + 1).filter((n) => n > 0);
      const more = detail ? `\n${detail.replace(/^/gm, '   ')}` : '';
      return `${index + 1}. ${text}${on.length ? ` (after ${on.join(', ')})` : ''}${more}`;
    })
    .join('\n');

/** The words with which a plan is carried out in its own thread. */
export const startWords = ({ title, text, steps }: Proposal): string =>
  `Carry out this plan now${title ? `: ${title}` : ''}. It may differ from what you proposed: I have edited it.\n\n${text ? `${text}\n\n` : ''}${numbered(steps)}`;

/** The prompt of a task that is made of one step. */
export function stepWords({ title, text, steps }: Proposal, step: ProposalStep): string {
  const rest =
    steps.length > 1 ? `\n\nIt is step ${steps.indexOf(step) + 1} of a plan. Do this step alone; the others are done elsewhere.` : '';
  const whole =
    steps.length > 1
      ? `\n\nThe plan${title ? `, “${title}”` : ''}:\n${text ? `${text}\n` : ''}${steps.map((each, index) => `${index + 1}. ${each.text}`).join('\n')}`
      : '';
  return `${step.text}${step.detail ? `\n\n${step.detail}` : ''}${rest}${whole}`;
}
