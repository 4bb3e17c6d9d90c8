import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createSandbox } from '../../agent-core/sandbox/index.ts';
import { Terminals } from '../../agent-core/terminal/terminals.ts';
import { defaultPolicy } from '../../agent-core/workspace/index.ts';
import { until } from '../hosts/support/core.ts';
import { temp } from '../hosts/support/temp.ts';
import { task, watcher } from './support/plain.ts';

test('in a real sandbox: a prompt, job control, the machine shared with commands, and the fence', async () => {
  const folder = temp('terminal');
  const worktree = join(folder, 'worktree');
  mkdirSync(worktree);
  writeFileSync(join(folder, 'secret'), 'secret');
  const sandbox = createSandbox({ stateDir: join(folder, 'sandbox'), env: process.env });
  const policy = defaultPolicy('workspace');
  const machine = await sandbox
    .driver(policy)
    .open({ id: 'terminal', stateDir: join(folder, 'state'), worktree, binds: [], policy, env: {} });
  onTestFinished(() => machine.dispose());
  const terminals = new Terminals({ open: async () => ({ machine, cwd: worktree, title: 'Sandboxed' }), shell: '/bin/bash' });
  onTestFinished(() => terminals.dispose());
  const { id } = await terminals.open(task(), { cols: 100, rows: 30 });
  const client = watcher();
  const { screen } = await terminals.attach(id, client);
  const see = (text: string) =>
    until(() => (screen + client.text(id)).includes(text), `to see ${text} in ${JSON.stringify(screen + client.text(id))}`);
  await see('worktree\x1b[0m $ ');
  terminals.write(id, `stty size; cat ${join(folder, 'secret')}; echo "$TERM"; ls -a ~ | wc -l\r`);
  await see('30 100');
  await see('No such file');
  await see('xterm-256color');
  // What is typed before the shell has the terminal back may be thrown away: wait for its prompt each time.
  const prompts = () => (screen + client.text(id)).split('$ ').length - 1;
  const prompt = (count: number) => until(() => prompts() >= count, `prompt ${count} in ${JSON.stringify(client.text(id))}`);
  await prompt(2);
  terminals.write(id, 'sleep 600\r');
  await see('sleep 600\r\n');
  terminals.write(id, '\x1a');
  await see('Stopped');
  await prompt(3);
  terminals.write(id, 'fg\r');
  await until(() => /fg\r\n.*sleep 600\r\n/s.test(client.text(id)), `it to go on in ${JSON.stringify(client.text(id))}`);
  terminals.write(id, '\x03');
  await prompt(4);
  terminals.write(id, 'echo st""atus $?\r');
  await see('status 130');
  const { stdout } = await machine.collect({ argv: ['sh', '-c', 'touch seen-by-both; echo made'] });
  expect(stdout.toString()).toBe('made\n');
  terminals.write(id, 'ls\r');
  await see('seen-by-both');
}, 60_000);
