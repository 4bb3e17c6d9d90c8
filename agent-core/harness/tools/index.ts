import { requestUserInput } from './ask.ts';
import { execCommand, writeStdin } from './exec.ts';
import { viewImage } from './image.ts';
import { applyPatchTool } from './patch.ts';
import { updatePlan } from './plan.ts';
import type { Tool } from './types.ts';

/** All tools, in the order in which they are offered: fixed, so that the request's start stays the same bytes. */
export const tools: readonly Tool[] = [execCommand, writeStdin, applyPatchTool, updatePlan, viewImage, requestUserInput];
