import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { Client } from '../../agent-core/core.ts';
import type { TerminalId } from '../../agent-core/contract/index.ts';
import { call, say, type Script } from '../model-server/index.ts';
import { personEnvironment } from '../../agent-core/runtime/gates-terminal.ts';
import { until } from '../hosts/support/core.ts';
import { Rig } from '../runtime/support.ts';

let rig: Rig;
afterEach(() => rig.close());

const outputs = (request: Parameters<Script>[0]): number => request.input.filter((item) => item.type === 'function_call_output').length;

async function watch(id: TerminalId): Promise<() => string> {
  let text = '';
  const client: Client = {
    id: `watch-${id}`,
    threads: new Set(),
    send: (news) => {
      if (news.type === 'terminal.output' && news.terminalId === id) text += news.data;
    },
    onClose: () => {},
  };
  const { screen } = await rig.core.handlers['terminal/attach']({ terminalId: id }, client);
  text = screen + text;
  return () => text;
}

test('a terminal outside is the person’s own: their files and environment, no agent’s, and nothing of it reaches a model', async () => {
  rig = await Rig.start((request) =>
    outputs(request) === 0
      ? [call('exec_command', { cmd: 'ps -e | wc -l; ls /proc/*/environ 2>/dev/null; cat /proc/*/cmdline' })]
      : [say('ok')],
  );
  const task = await rig.create('First');
  await rig.reaches(task.id, 'review');
  const secret = join(rig.folder, 'person-secret');
  writeFileSync(secret, 'only-outside-7731');
  const inside = await rig.call('terminal/open', { taskId: task.id, cols: 100, rows: 30 });
  const outside = await rig.call('terminal/open', { taskId: task.id, cols: 100, rows: 30, outside: true });
  expect(inside.outside).toBeUndefined();
  expect(outside).toMatchObject({ outside: true, title: 'Outside the sandbox', running: true });
  const [seenInside, seen] = [await watch(inside.id), await watch(outside.id)];
  await rig.call('terminal/write', { terminalId: inside.id, data: `cat ${secret}; echo in""side\r` });
  await until(() => seenInside().includes('inside\r\n'), 'the inside to answer', 15_000);
  expect(seenInside()).not.toContain('only-outside-7731');
  await rig.call('terminal/write', {
    terminalId: outside.id,
    data: `cat ${secret}; pwd -P; echo "[$SIGNALBOX_HOME]" > out.txt; echo "HOME=$HOME"\r`,
  });
  await until(() => seen().includes(`HOME=${process.env['HOME']}`), `the outside to answer: ${JSON.stringify(seen())}`, 15_000);
  expect(seen()).toContain('only-outside-7731');
  expect(seen().replace(/\r?\n/g, '')).toContain(rig.worktree(task.id));
  await until(() => existsSync(join(rig.worktree(task.id), 'out.txt')), 'its file', 5000);
  expect(readFileSync(join(rig.worktree(task.id), 'out.txt'), 'utf8')).toBe('[]\n');

  // The agent works on meanwhile: neither its commands nor what the model is sent hold anything of it.
  await rig.call('turn/start', { threadId: rig.thread(task.id).id, text: 'go on' });
  await rig.until(() => rig.thread(task.id).turn?.number === 2 && rig.thread(task.id).turn?.status === 'completed', 'the next turn');
  const items = await rig.call('thread/read', { threadId: rig.thread(task.id).id });
  expect(JSON.stringify(items)).not.toContain('only-outside-7731');
  expect(JSON.stringify(rig.model.requests.map(({ body }) => body))).not.toContain('only-outside-7731');

  await rig.call('task/delete', { taskId: task.id });
  expect((await rig.call('terminal/list', { taskId: task.id })).terminals).toEqual([]);
});

test('what is planted by a terminal inside is set aside too, soon after', async () => {
  rig = await Rig.start(() => [say('ok')]);
  const task = await rig.create('First');
  await rig.reaches(task.id, 'review');
  const { id } = await rig.call('terminal/open', { taskId: task.id, cols: 100, rows: 30 });
  const seen = await watch(id);
  await until(() => seen().includes('$ '), 'a prompt', 15_000);
  await rig.call('terminal/write', { terminalId: id, data: 'echo x > .envrc; echo planted\r' });
  await rig.until(() => Object.values(rig.board.denials).some(({ subject }) => subject === '.envrc'), 'the denial');
  expect(existsSync(join(rig.worktree(task.id), '.envrc'))).toBe(false);
});

test('the person’s environment is whole but for what is ours', () => {
  const env = {
    SSH_AUTH_SOCK: '/s',
    GH_TOKEN: 't',
    PATH: '/bin',
    SIGNALBOX_HOME: '/h',
    ELECTRON_RUN_AS_NODE: '1',
    npm_config_x: 'y',
    gone: undefined,
  };
  expect(personEnvironment(env)).toEqual({ SSH_AUTH_SOCK: '/s', GH_TOKEN: 't', PATH: '/bin' });
});
