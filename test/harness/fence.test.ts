import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createSandbox } from '../../agent-core/sandbox/index.ts';
import type { MachineSpec, Policy } from '../../agent-core/sandbox/types.ts';
import { call, customCall, lastOutput, outputOf, say, type Step } from '../model-server/index.ts';
import { rig, tempDir, until } from './support/rig.ts';

/** The same loop in a real machine: bubblewrap around every command. */
async function fenced(script: Parameters<typeof rig>[0], mode: 'workspace' | 'read-only' = 'workspace', more: Policy['limits'] = {}) {
  const base = await tempDir();
  for (const dir of ['worktree', 'state', 'sandbox']) await mkdir(join(base, dir));
  const spec: MachineSpec = {
    id: `h${process.pid}-${Math.random().toString(36).slice(2, 8)}`,
    stateDir: join(base, 'state'),
    worktree: join(base, 'worktree'),
    binds: [],
    env: {},
    policy: { mode, network: { allow: [] }, limits: { processes: 512, memoryBytes: 2 ** 31, ...more } },
  };
  const machine = await createSandbox({ stateDir: join(base, 'sandbox'), env: process.env })
    .driver(spec.policy)
    .open(spec);
  return rig(script, { machine, input: { mode } });
}
const exec = (cmd: string, more: object = {}): Step => call('exec_command', { cmd, ...more });

test('commands and patches work in the worktree, and nothing beyond it', async () => {
  const marker = join(homedir(), `signalbox-test-${process.pid}`);
  const t = await fenced([
    [exec(`echo in > a.txt; echo x > ${marker}; ls ${homedir()}/.ssh; pwd; echo tmp > /tmp/x; cat /tmp/x`)],
    [customCall('apply_patch', '*** Begin Patch\n*** Update File: a.txt\n-in\n+patched\n*** End Patch'), exec('cat a.txt')],
    [say('ok')],
  ]);
  expect(await t.turn('go')).toMatchObject({ status: 'completed' });
  expect(lastOutput(t.server.requests[1]!.body)).toContain(`${t.worktree}\ntmp\n`);
  expect(await readFile(join(t.worktree, 'a.txt'), 'utf8')).toBe('patched\n');
  await expect(readFile(marker)).rejects.toThrow('ENOENT');
  expect(lastOutput(t.server.requests[2]!.body)).toContain('patched\n');
});

test("a terminal session is typed into, and the machine's own Ctrl-C ends it", async () => {
  const t = await fenced((request, n) => {
    if (n === 1) return [exec('read -p "name? " x; echo "hello $x"; sleep 300', { tty: true, yield_time_ms: 250 })];
    const id = Number(
      /session ID (\d+)/.exec(outputOf(request, request.input.find((item) => item.type === 'function_call')!.call_id!)!)?.[1],
    );
    if (n === 2) return [call('write_stdin', { session_id: id, chars: 'Ada\n', yield_time_ms: 1000 })];
    if (n === 3) return [call('write_stdin', { session_id: id, chars: '\u0003', yield_time_ms: 10_000 })];
    return [say('ok')];
  });
  await t.turn('go');
  expect(lastOutput(t.server.requests[2]!.body)).toContain('hello Ada');
  expect(lastOutput(t.server.requests[3]!.body)).toMatch(/Process exited with code 130/);
});

test('an interrupt ends a tree that ignores SIGTERM', async () => {
  const t = await fenced([[exec('trap "" TERM; (trap "" TERM; sleep 301) & touch up; sleep 301; wait')], [say('ok')]]);
  const stop = new AbortController();
  const turn = t.turn('go', { signal: stop.signal });
  await until(() =>
    readFile(join(t.worktree, 'up')).then(
      () => true,
      () => false,
    ),
  );
  stop.abort();
  expect(await turn).toMatchObject({ status: 'interrupted' });
  const left = await t.machine.collect({ argv: ['sh', '-c', 'for p in /proc/[0-9]*; do tr "\\0" " " < $p/cmdline; echo; done'] });
  expect(left.stdout.toString()).not.toContain('sleep 301');
});

test('a server that one command starts answers the next', async () => {
  const t = await fenced((_request, n) => {
    if (n === 1)
      return [
        exec('node -e \'require("http").createServer((q,r)=>r.end("served")).listen(8123, "127.0.0.1", () => console.log("listening"))\'', {
          yield_time_ms: 1500,
        }),
      ];
    if (n === 2) return [exec('for i in $(seq 50); do curl -sf http://127.0.0.1:8123/ && exit; sleep 0.1; done')];
    return [say('ok')];
  });
  await t.turn('go');
  expect(lastOutput(t.server.requests[2]!.body)).toContain('served');
});

test('read-only shows everything and changes nothing', async () => {
  const t = await fenced([[exec('cat a; echo no > a; touch b')], [say('ok')]], 'read-only');
  await writeFile(join(t.worktree, 'a'), 'yes\n');
  await t.turn('go');
  expect(lastOutput(t.server.requests[1]!.body)).toMatch(/Output:\nyes\n[\s\S]*Read-only file system/);
  expect(await readFile(join(t.worktree, 'a'), 'utf8')).toBe('yes\n');
});

test('a command that a limit ended says so, to the model and in its item', async () => {
  const t = await fenced([[exec('echo began; sleep 300')], [say('ok')]], 'workspace', { seconds: 0.5 });
  await t.turn('go');
  expect(lastOutput(t.server.requests[1]!.body)).toMatch(
    /began\n\nEnded by a limit: the command ran for 0\.5 seconds, which is its limit\.\n/,
  );
  expect(t.items('command')[0]).toMatchObject({
    status: 'failed',
    exitCode: 137,
    limit: 'Ended by a limit: the command ran for 0.5 seconds, which is its limit.',
  });
});
