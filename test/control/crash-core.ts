/** A core in a process of its own, to be killed: opens a home and asks for an undo. Prints a line when it is there. */
import type { ThreadId, TurnId } from '../../agent-core/contract/index.ts';
import { createCore, type Client } from '../../agent-core/core.ts';

const [home, url, threadId, turnId, text] = process.argv.slice(2) as [string, string, ThreadId, TurnId, string];
const core = await createCore({
  home,
  host: 'test',
  openOn: null,
  env: {
    PATH: process.env['PATH'],
    HOME: process.env['HOME'],
    OPENAI_BASE_URL: url,
    OPENAI_API_KEY: 'sk-test',
    SIGNALBOX_MODEL: 'gpt-5.5',
  },
});
const client: Client = { id: 'crash', threads: new Set(), send: () => {}, onClose: () => {} };
process.stdout.write('ready\n');
await core.handlers['turn/edit']({ threadId, turnId, text }, client);
process.stdout.write('done\n');
