/** A core in a process of its own, to be killed: opens the repository, creates three tasks, prints each acknowledged id. */
import { methods, type InputOf } from '../../agent-core/contract/index.ts';
import { createCore, type Client } from '../../agent-core/core.ts';

const [home, url, repo] = process.argv.slice(2) as [string, string, string];
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
const project = await core.handlers['project/open']({ path: repo }, client);
for (const prompt of ['First task', 'Second task', 'Third task']) {
  const input: InputOf<'task/create'> = { projectId: project.id, prompt };
  const task = await core.handlers['task/create'](methods['task/create'].input.parse(input), client);
  process.stdout.write(`${JSON.stringify({ id: task.id })}\n`);
}
