import { Failure, toAppError } from '../../contract/index.ts';
import { parsePattern } from '../../sandbox/egress/index.ts';

/** Bad patterns are known before anything is opened; like any policy that can't be held they end with exit code 3. */
export function checkHosts(patterns: string[]): string[] {
  for (const pattern of patterns) {
    try {
      parsePattern(pattern);
    } catch (error) {
      const { message, fix } = toAppError(error);
      throw new Failure('cannot-confine', `${message} Nothing was run.`, fix === undefined ? {} : { fix });
    }
  }
  return patterns;
}
