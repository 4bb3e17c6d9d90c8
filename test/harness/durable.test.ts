import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Failure } from '../../agent-core/contract/index.ts';
import { call, outputOf, say, textOf } from '../model-server/index.ts';
import { plainMachine } from './support/plain-machine.ts';
import { rig, tempDir } from './support/rig.ts';

test('everything is on disk before anything is done about it', async () => {
  const log: string[] = [];
  const slowly = async (what: string) => {
    await sleep(30);
    log.push(what);
  };
  const machine = plainMachine(await tempDir());
  const { run } = machine;
  machine.run = async (request) => {
    log.push('run');
    return run(request);
  };
  const t = await rig(
    (_request, n) => {
      log.push(`request ${n}`);
      return n === 1 ? [call('exec_command', { cmd: 'true' })] : [say('ok')];
    },
    {
      machine,
      host: {
        appendHistory: (items) => slowly(`history ${items.map((item) => ('role' in item ? item.role : item.type)).join(' ')}`),
        itemStarted: (item) => slowly(`started ${item.type}`),
        itemCompleted: (item) => slowly(`completed ${item.type}`),
      },
    },
  );
  await t.turn('go');
  log.push('end');
  const before = (first: string, second: string) =>
    expect([first, log.indexOf(first)], log.join('\n')).toEqual([
      first,
      expect.toSatisfy((at: number) => at >= 0 && at < log.indexOf(second)),
    ]);
  before('history developer developer user user', 'request 1');
  before('history function_call', 'run');
  before('started command', 'run');
  before('completed command', 'request 2');
  before('history function_call_output', 'request 2');
  before('history assistant', 'end');
  before('completed agentMessage', 'end');
});

test('a disk that is full ends the turn with that reason, and no command has run', async () => {
  let room = 1;
  const machine = plainMachine(await tempDir());
  const t = await rig([[call('exec_command', { cmd: 'true' }), call('exec_command', { cmd: 'true' })]], {
    machine,
    host: {
      appendHistory: async () => {
        if (room-- <= 0) throw new Failure('disk-full', 'The disk is full.');
      },
    },
  });
  expect(await t.turn('go')).toMatchObject({ status: 'failed', error: { code: 'disk-full' } });
  expect(machine.ran).toEqual([]);
  expect(t.server.requests).toHaveLength(1);
});

test("a command that can't be confined doesn't run, ends the turn and leaves a history that can be gone on with", async () => {
  const machine = plainMachine(await tempDir());
  const { run } = machine;
  machine.run = async (request) => {
    if (request.argv[2] === 'second') throw new Failure('cannot-confine', 'No namespaces here.', { fix: 'Allow them.' });
    return run(request);
  };
  const t = await rig([[call('exec_command', { cmd: 'echo first' }), call('exec_command', { cmd: 'second' })], [say('ok')]], { machine });
  expect(await t.turn('go')).toMatchObject({ status: 'failed', error: { code: 'cannot-confine', fix: 'Allow them.' } });
  expect(t.items('command').map(({ status }) => status)).toEqual(['completed', 'failed']);
  expect(await t.turn('again')).toMatchObject({ status: 'completed' });
  const { body } = t.server.requests[1]!;
  const ids = body.input.flatMap((item) => (item.type === 'function_call' ? [item.call_id!] : []));
  expect(ids.map((id) => outputOf(body, id))).toEqual([expect.stringContaining('first\n'), expect.stringContaining('No namespaces here.')]);
  expect(t.server.refused).toEqual([]);
});

test('a turn that is stopped before it began asks nothing and forgets nothing', async () => {
  const t = await rig([[say('ok')]]);
  expect((await t.turn('the task', { signal: AbortSignal.abort() })).status).toBe('interrupted');
  expect(t.server.requests).toEqual([]);
  await t.turn(null);
  const { input } = t.server.requests[0]!.body;
  expect(input.map(({ role }) => role)).toEqual(['developer', 'developer', 'user', 'user', 'user']);
  expect(textOf(input[3]!)).toBe('the task');
});
