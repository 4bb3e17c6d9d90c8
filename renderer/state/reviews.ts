import type { Finding, Review, ReviewTarget } from '../../agent-core/contract/index.ts';
import { rpc } from './store.ts';
import { speak } from './ui.ts';

export const priorityWords = ['P0, at once', 'P1, next', 'P2, some day', 'P3, nice to have'] as const;
export const priorityTones = ['bad', 'warn', 'muted', 'faint'] as const;
export const placeWords: Record<Finding['place'], string> = { diff: '', file: 'Not in the diff', nowhere: 'Points nowhere' };

/** `src/a.ts:3-5`; the path alone where no line was given. */
export const whereOf = ({ path, line, endLine }: Finding): string =>
  line > 0 ? `${path}:${line}${endLine > line ? `-${endLine}` : ''}` : path;

export function targetWords(target: ReviewTarget): string {
  if (target.kind === 'commit') return `commit ${target.ref}`;
  if (target.kind === 'branch') return `changes against ${target.ref}`;
  return target.kind === 'turn' ? 'last turn' : 'whole task';
}

/** What `/review …` asks for: nothing, `turn`, `commit REF` or `branch REF`. Null for other words. */
export function slashReview(text: string): ReviewTarget | null {
  const match = /^\/review(?:\s+(?:(turn|task)|(commit|branch)\s+(\S+)))?\s*$/.exec(text.trim());
  if (!match) return null;
  if (match[2]) return { kind: match[2] as 'commit' | 'branch', ref: match[3]! };
  return { kind: match[1] === 'turn' ? 'turn' : 'task' };
}

/** Sends findings to the agent. Throws `Failure`. */
export async function fixFindings(review: Review, findingIds: readonly string[]): Promise<void> {
  const { queued } = await rpc().call('findings/fix', { reviewId: review.id, findingIds: [...findingIds] });
  speak(queued ? 'Sent, for the next turn' : 'Sent to the agent');
}

/** Keeps findings out, or brings them back. Throws `Failure`. */
export async function dismissFindings(review: Review, findingIds: readonly string[], dismissed = true): Promise<void> {
  await rpc().call('findings/dismiss', { reviewId: review.id, findingIds: [...findingIds], dismissed });
  speak(dismissed ? 'Dismissed' : 'Brought back');
}
