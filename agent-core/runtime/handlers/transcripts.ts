import type { Handlers } from '../../contract/index.ts';
import type { Client } from '../api.ts';
import type { Context } from '../context.ts';
import { importTranscript } from '../transcript-import.ts';
import { exportPart } from '../transcript.ts';

export function transcriptHandlers(context: Context): Pick<Handlers<Client>, 'thread/export' | 'thread/import'> {
  return {
    'thread/export': (input) => exportPart(context, input),
    'thread/import': (input) => importTranscript(context, input),
  };
}
