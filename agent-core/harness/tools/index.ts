import { requestUserInput } from './ask.ts';
import { execCommand, writeStdin } from './exec.ts';
import { viewImage } from './image.ts';
import { applyPatchTool } from './patch.ts';
import { updatePlan } from './plan.ts';
import type { ToolSpec, TurnInput } from '../types.ts';
import type { Tool } from './types.ts';

/** All tools, in the order in which they are offered: fixed, so that the request's start stays the same bytes. */
export const tools: readonly Tool[] = [execCommand, writeStdin, applyPatchTool, updatePlan, viewImage, requestUserInput];

/** What is offered in a turn, in the API's own shape: ours first, then those of servers, then the provider's own search. */
export const offered = (input: TurnInput): ToolSpec[] => [
  ...[...tools, ...(input.serverTools ?? [])].filter((tool) => tool.offered?.(input) ?? true).map((tool) => tool.spec(input)),
  ...(input.webSearch && input.model.wire !== 'chat' ? [{ type: 'web_search' as const }] : []),
];
