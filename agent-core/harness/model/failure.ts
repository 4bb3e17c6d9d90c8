import { Failure } from '../../contract/index.ts';
import type { ModelFault } from './fault.ts';

/** A fault on its way to the person. */
export const failure = ({ app: { code, message, ...more } }: ModelFault): Failure => new Failure(code, message, more);
