import { z } from 'zod';
import { ProjectId, ThreadId } from '../ids.ts';
import { Task } from '../values.ts';
import { TranscriptFormat } from '../transcript.ts';
import { method, type MethodSpec } from './method.ts';

/** Conversations as files. */
export const transcriptMethods = {
  /** A part of the transcript, without secrets; `next` is what to ask for after it, null at its end. */
  'thread/export': method(
    z.object({ threadId: ThreadId, format: TranscriptFormat, from: z.string().max(40).default('') }),
    z.object({ name: z.string(), text: z.string(), next: z.string().nullable() }),
  ),
  /** A new task with the conversation of a JSONL transcript: its text, or an absolute path on this machine. Its files are those of the base. */
  'thread/import': method(z.object({ projectId: ProjectId, text: z.string().optional(), path: z.string().optional() }), Task, [
    'conflict',
    'base-not-found',
    'no-folder',
  ]),
} as const satisfies Record<string, MethodSpec>;
