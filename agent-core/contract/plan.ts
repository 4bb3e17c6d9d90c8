import { z } from 'zod';
import { TaskId } from './ids.ts';

/**
 * What a turn is for. *Work* changes the worktree as far as the task's mode lets it; *plan* and *ask* only look, which
 * the sandbox enforces. A plan ends in a proposal, an ask in an answer. Absent means work.
 */
export const TurnKind = z.enum(['work', 'plan', 'ask']);
export type TurnKind = z.infer<typeof TurnKind>;

/** One step of a proposed plan, as the person may edit it. */
export const ProposalStep = z.object({
  /** Unique in its plan, and the same for as long as the step lives. */
  id: z.string().min(1).max(40),
  /** What is done, in one line. */
  text: z.string().trim().min(1, 'A step needs words.').max(2000),
  /** What else is to be known for it; '' where nothing is. */
  detail: z.string().max(20_000),
  /** Ids of the steps whose result it needs. */
  after: z.array(z.string()),
  /** The task that was made of it. */
  taskId: TaskId.nullable(),
});
export type ProposalStep = z.infer<typeof ProposalStep>;

/** `open` can be edited and started; one that a later turn put another in the place of is `replaced`. */
export const ProposalState = z.enum(['open', 'started', 'split', 'replaced']);

/** The parts of a plan that a plan turn ended with. */
export const Proposal = {
  title: z.string(),
  /** What the plan says besides its steps. */
  text: z.string(),
  steps: z.array(ProposalStep),
  /** Grows with each change: who edits an older one is told. */
  revision: z.number().int(),
  state: ProposalState,
};

export const MAX_STEPS = 100;
