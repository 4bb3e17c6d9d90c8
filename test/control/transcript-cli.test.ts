import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { desk, jsonLines, repository } from '../hosts/support/cli.ts';
import { call, lastOutput, say, startModelServer } from '../model-server/index.ts';

test('from the command line a task is exported without the person’s secrets, and imported again; mistakes exit 2', async () => {
  const my = desk();
  const repo = repository(join(my.folder, 'repo'));
  const server = await startModelServer((request) =>
    lastOutput(request) ? [say('Done.')] : [call('exec_command', { cmd: 'echo value-of-my-own-key' })],
  );
  onTestFinished(() => server.close());
  const env = { OPENAI_BASE_URL: server.url, OPENAI_API_KEY: 'sk-test', SIGNALBOX_MODEL: 'test-model', MY_OWN_KEY: 'value-of-my-own-key' };
  const ran = await my.run(['exec', '--json', '--repo', repo, 'Say it'], { env });
  const task = jsonLines(ran.stdout)[0]!['task'] as string;

  const markdown = await my.run(['transcript', 'export', 'Say it'], { env });
  expect(markdown.code).toBe(0);
  expect(markdown.stdout).toContain('echo [redacted]');
  expect(markdown.stdout).not.toContain('value-of-my-own-key');

  const file = join(my.folder, 'out.jsonl');
  expect(await my.run(['transcript', 'export', task, '--format', 'jsonl', '-o', file], { env })).toMatchObject({ code: 0, stdout: '' });
  expect(readFileSync(file, 'utf8')).toContain('"signalbox.transcript"');
  expect(await my.run(['transcript', 'export', task, '-o', file], { env })).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('there already') as string,
  });

  const imported = await my.run(['transcript', 'import', file, '--repo', repo, '--json'], { env });
  expect(imported.code).toBe(0);
  expect(jsonLines(imported.stdout)[0]).toMatchObject({ title: 'Say it (imported)' });

  writeFileSync(file, 'nonsense\n');
  const refused = await my.run(['transcript', 'import', file, '--repo', repo], { env });
  expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('Line 1 of the transcript is not JSON')]);
  expect((await my.run(['transcript', 'export', 'Nothing like it'], { env })).code).toBe(2);
  expect((await my.run(['transcript', 'show'], { env })).code).toBe(2);
}, 60_000);
