import type { z } from 'zod';
import { systemMethods } from './system.ts';
import { modelMethods } from './models.ts';
import { usageMethods } from './usage.ts';
import { projectMethods } from './projects.ts';
import { recipeMethods } from './recipe.ts';
import { taskMethods } from './tasks.ts';
import { threadMethods } from './threads.ts';
import { planMethods } from './plan.ts';
import { findingMethods } from './findings.ts';
import { gateMethods } from './gates.ts';
import { reviewMethods } from './review.ts';
import { networkMethods } from './network.ts';
import { contextMethods } from './context.ts';
import { hookMethods } from './hooks.ts';
import { mcpMethods } from './mcp.ts';
import { terminalMethods } from './terminals.ts';
import { searchMethods } from './search.ts';
import { transcriptMethods } from './transcripts.ts';
import type { MethodSpec } from './method.ts';

export { Prompt, type MethodSpec } from './method.ts';
export { Folder } from './projects.ts';
export { DiffFile, DiffScope, LandPreview } from './review.ts';
export { Hit } from './search.ts';
export { TerminalInfo } from './terminals.ts';

/** All requests a client may make, named `<resource>/<verb>`. */
export const methods = {
  ...systemMethods,
  ...modelMethods,
  ...usageMethods,
  ...projectMethods,
  ...recipeMethods,
  ...taskMethods,
  ...threadMethods,
  ...transcriptMethods,
  ...searchMethods,
  ...planMethods,
  ...findingMethods,
  ...gateMethods,
  ...reviewMethods,
  ...terminalMethods,
  ...networkMethods,
  ...mcpMethods,
  ...hookMethods,
  ...contextMethods,
} as const satisfies Record<string, MethodSpec>;

export type MethodName = keyof typeof methods;
/** What a caller gives (defaults may be left out). */
export type InputOf<M extends MethodName> = z.input<(typeof methods)[M]['input']>;
/** What a handler receives, defaults filled in. */
export type ParsedInputOf<M extends MethodName> = z.output<(typeof methods)[M]['input']>;
export type OutputOf<M extends MethodName> = z.output<(typeof methods)[M]['output']>;
/** One async function for each method: throws `Failure` for an expected failure. `client` is who asks. */
export type Handlers<C> = { [M in MethodName]: (input: ParsedInputOf<M>, client: C) => Promise<OutputOf<M>> };
