import { z } from 'zod';

/** Every expected failure has one of these codes; a method names which of them it can answer. */
export const ErrorCode = z.enum([
  // what was asked
  'invalid-input',
  'not-found',
  'conflict',
  'not-allowed',
  'overloaded',
  'unsupported-version',
  'unauthorized',
  // a folder or repository
  'no-folder',
  'not-a-repository',
  'bare-repository',
  'no-commits',
  'base-not-found',
  'fetch-failed',
  'branch-taken',
  'unsupported-repository',
  // a worktree or landing
  'worktree-missing',
  'setup-failed',
  'dirty-checkout',
  'merge-conflict',
  'nothing-to-land',
  'git-failed',
  'disk-full',
  // the sandbox
  'cannot-confine',
  // the model
  'no-model',
  'model-unauthorized',
  'model-unknown',
  'model-unreachable',
  'model-refused',
  'model-limited',
  'model-bad-reply',
  'model-interrupted',
  'context-overflow',
  'budget-spent',
  // a bug, caught at the boundary
  'internal',
]);
export type ErrorCode = z.infer<typeof ErrorCode>;

/**
 * An expected failure as data. `message` says what was wrong and where, `fix` what to do next;
 * `command` and `output` are the exact command that failed and what it printed.
 */
export const AppError = z.object({
  code: ErrorCode,
  message: z.string(),
  fix: z.string().optional(),
  command: z.string().optional(),
  output: z.string().optional(),
});
export type AppError = z.infer<typeof AppError>;

/** An expected failure on its way to a boundary, where it becomes an {@link AppError} again. */
export class Failure extends Error {
  readonly detail: AppError;
  constructor(code: ErrorCode, message: string, more: Omit<AppError, 'code' | 'message'> = {}) {
    super(message);
    this.name = 'Failure';
    this.detail = { code, message, ...more };
  }
}

/** Turns whatever was thrown into data: a {@link Failure} as it is, anything else as `internal`. */
export function toAppError(thrown: unknown): AppError {
  if (thrown instanceof Failure) return thrown.detail;
  if (thrown instanceof Error) return { code: 'internal', message: thrown.message };
  return { code: 'internal', message: String(thrown) };
}
