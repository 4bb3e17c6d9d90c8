import { join } from 'node:path';
import { expect, test } from 'vitest';
import { desk, jsonLines, repository } from '../hosts/support/cli.ts';
import { until } from '../hosts/support/core.ts';

test('a SIGNALBOX_WIRE that names no API is refused before anything starts, also when another core would do the work', async () => {
  const my = desk();
  const repo = repository(join(my.folder, 'repo'));
  const serving = my.start(['serve', '--json']);
  await until(() => serving.stdout().includes('\n'), 'the address', 60_000);
  const env = { SIGNALBOX_WIRE: 'chatt', OPENAI_BASE_URL: 'http://127.0.0.1:9/v1', OPENAI_API_KEY: 'k' };
  const { code, stdout, stderr } = await my.run(['exec', '--json', '--repo', repo, 'Say hello'], { env });
  expect({ code, lines: jsonLines(stdout) }).toEqual({ code: 2, lines: [] });
  expect(stderr).toContain('SIGNALBOX_WIRE is “chatt”');
  expect(stderr).toContain('“responses” or “chat”');
  const batch = await my.run(['batch', '-'], { env, input: `${JSON.stringify({ prompt: 'Say hello', repo })}\n` });
  expect(batch.code).toBe(2);
  serving.child.kill('SIGTERM');
  expect((await serving.outcome).code).toBe(0);
}, 120_000);
