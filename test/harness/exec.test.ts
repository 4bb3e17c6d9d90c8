import { access, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { heredocPatch } from '../../agent-core/harness/tools/patch.ts';
import { call, lastOutput, outputOf, say, type Step } from '../model-server/index.ts';
import { rig, runs, until } from './support/rig.ts';

const exec = (cmd: string, more: object = {}): Step => call('exec_command', { cmd, ...more });
/** The text after the header of an output. */
const body = (text: string): string => text.slice(text.indexOf('Output:\n') + 8);
const idOf = (text: string): number => Number(/session ID (\d+)\n/.exec(text)?.[1]);

describe('exec_command', () => {
  test('runs with the environment that tools behave under, in the folder asked for', async () => {
    const t = await rig([[exec('env; pwd', { workdir: 'sub' })], [say('ok')]]);
    await mkdir(join(t.worktree, 'sub'));
    await t.turn('go');
    const text = body(lastOutput(t.server.requests[1]!.body));
    for (const line of [
      'NO_COLOR=1',
      'TERM=dumb',
      'LANG=C.UTF-8',
      'LC_CTYPE=C.UTF-8',
      'LC_ALL=C.UTF-8',
      'COLORTERM=',
      'PAGER=cat',
      'GIT_PAGER=cat',
      'GH_PAGER=cat',
      'SIGNALBOX_CI=1',
      `SIGNALBOX_THREAD_ID=${t.threadId}`,
      'SIGNALBOX_SANDBOX_NETWORK_DISABLED=1',
      join(t.worktree, 'sub'),
    ])
      expect(text.split('\n')).toContain(line);
    expect(text).not.toContain('CODEX_');
  });

  test('a command that reads its input gets its end, not a hang', async () => {
    const t = await rig([[exec('cat; echo over')], [say('ok')]]);
    await t.turn('go');
    expect(body(lastOutput(t.server.requests[1]!.body))).toBe('over\n');
  });

  test('long output is cut in the middle at 10,000 tokens, or less when asked', async () => {
    const t = await rig([[exec('seq 1 60001'), exec('seq 1 1000', { max_output_tokens: 10 })], [say('ok')]]);
    await t.turn('go');
    const outputs = t.server.requests[1]!.body.input.filter((item) => item.type === 'function_call_output').map((item) =>
      String(item.output),
    );
    const all = `${Array.from({ length: 60001 }, (_, at) => at + 1).join('\n')}\n`;
    const tokens = Math.ceil(all.length / 4);
    expect(outputs[0]).toContain(`Original token count: ${tokens}\n`);
    expect(body(outputs[0]!)).toBe(
      `Warning: truncated output (original token count: ${tokens})\nTotal output lines: 60001\n\n` +
        `${all.slice(0, 20_000)}…${tokens - 10_000} tokens truncated…${all.slice(-20_000)}`,
    );
    expect(body(outputs[1]!)).toMatch(
      /^Warning: truncated output \(original token count: 974\)\nTotal output lines: 1000\n\n1\n2\n3\n4\n5\n6\n7\n8\n9\n10…964 tokens truncated…96\n997\n998\n999\n1000\n$/,
    );
  });

  test('100 MB of output neither stalls nor grows the core', async () => {
    const t = await rig([[exec('head -c 100000000 /dev/zero | tr "\\0" x', { yield_time_ms: 30_000 })], [say('ok')]]);
    const before = process.memoryUsage.rss();
    await t.turn('go');
    const text = lastOutput(t.server.requests[1]!.body);
    expect(text).toContain('Process exited with code 0');
    expect(Buffer.byteLength(text)).toBeLessThan(41_000);
    const [item] = t.items('command');
    expect(item).toMatchObject({ status: 'completed', outputBytes: 100_000_000 });
    expect(item!.output.length).toBeLessThanOrEqual(16_384);
    expect(t.logged.get(item!.id)).toBe(100_000_000);
    expect(t.deltas.get(item!.id)!.length).toBeLessThanOrEqual(256 * 1024);
    expect(process.memoryUsage.rss() - before).toBeLessThan(150e6);
  });

  test('binary and broken UTF-8 output is text that the wire takes', async () => {
    const t = await rig([[exec('head -c 3000 /dev/urandom; printf "\\303"'), exec('printf "%0100000d" 7')], [say('ok')]]);
    expect(await t.turn('go')).toMatchObject({ status: 'completed' });
    expect(t.server.refused).toEqual([]);
  });

  test('a shell that can not start, or a folder that is not there, is told', async () => {
    const t = await rig([[exec('definitely-not-a-command'), exec('ls', { workdir: 'nowhere' })], [say('ok')]]);
    expect(await t.turn('go')).toMatchObject({ status: 'completed' });
    expect(t.server.requests[1]!.body.input.filter((item) => item.type === 'function_call_output').map((item) => item.output)).toEqual([
      expect.stringContaining('command not found'),
      expect.stringMatching(/no folder .*nowhere|exited with code/),
    ]);
  });

  test('a patch that is given to the shell goes to the tool', async () => {
    await rig([]);
    expect(heredocPatch("apply_patch <<'EOF'\n*** Begin Patch\n*** End Patch\nEOF")).toEqual({
      dir: null,
      text: '*** Begin Patch\n*** End Patch',
    });
    expect(heredocPatch('cd sub/dir && apply_patch <<"X"\nhello\nX\n')).toEqual({ dir: 'sub/dir', text: 'hello' });
    expect(heredocPatch('cd $HOME && apply_patch <<EOF\nhello\nEOF')).toBeNull();
    expect(heredocPatch('apply_patch <<EOF\nhello\nEOF\nrm -rf x')).toBeNull();
    const t = await rig([
      [exec("cd sub && apply_patch <<'EOF'\n*** Begin Patch\n*** Add File: new.txt\n+hi\n*** End Patch\nEOF")],
      [say('ok')],
    ]);
    await mkdir(join(t.worktree, 'sub'));
    await t.turn('go');
    expect(await readFile(join(t.worktree, 'sub/new.txt'), 'utf8')).toBe('hi\n');
    expect(t.items('fileChange')).toMatchObject([{ status: 'completed' }]);
    expect(t.items('command')).toEqual([]);
  });
});

describe('background commands', () => {
  test('one that goes on gets a number, is polled, and ends on its own', async () => {
    const t = await rig((request, n) => {
      if (n === 1) return [exec('echo up; until [ -e stop ]; do sleep 0.02; done; echo down; exit 4', { yield_time_ms: 250 })];
      if (n === 2) return [call('exec_command', { cmd: 'touch stop' }), call('write_stdin', { session_id: idOf(lastOutput(request)) })];
      return [say('ok')];
    });
    await t.turn('go');
    const [, second, third] = t.server.requests.map(({ body: sent }) => sent);
    const running = lastOutput(second!);
    expect(running).toMatch(
      /^Chunk ID: [0-9a-f]{6}\nWall time: 0\.\d{4} seconds\nProcess running with session ID \d{5}\nOriginal token count: 1\nOutput:\nup\n$/,
    );
    expect(lastOutput(third!)).toMatch(/Process exited with code 4\nOriginal token count: 2\nOutput:\ndown\n$/);
    expect(
      t.log
        .filter(({ item }) => item.type === 'command' && item.command.startsWith('echo up'))
        .map(({ kind, item }) => `${kind} ${item.type === 'command' && item.status} ${item.type === 'command' && item.sessionId !== null}`),
    ).toEqual(['started running false', 'updated running true', 'completed failed false']);
  });

  test('a terminal can be typed into; a pipe can not, but takes Ctrl-C', async () => {
    const t = await rig((request, n) => {
      if (n === 1) return [exec('trap "echo caught; exit 7" INT; echo ready; while :; do sleep 0.02; done', { yield_time_ms: 250 })];
      const id = idOf(outputOf(request, request.input.find((item) => item.type === 'function_call')!.call_id!)!);
      if (n === 2) return [call('write_stdin', { session_id: id, chars: 'hello\n' })];
      if (n === 3) return [call('write_stdin', { session_id: id, chars: '\u0003', yield_time_ms: 5000 })];
      return [say('ok')];
    });
    await t.turn('go');
    expect(lastOutput(t.server.requests[2]!.body)).toBe(
      'write_stdin failed: stdin is closed for this session; rerun exec_command with tty=true to keep stdin open',
    );
    expect(lastOutput(t.server.requests[3]!.body)).toMatch(/exited with code 7\n[\s\S]*caught/);
  });

  test('it outlives its turn, and its item completes when it ends', async () => {
    const t = await rig((_request, n) =>
      n === 1 ? [exec('until [ -e stop ]; do sleep 0.02; done', { yield_time_ms: 250 })] : [say('ok')],
    );
    await t.turn('go');
    expect(t.items('command')).toMatchObject([{ status: 'running', sessionId: expect.any(Number) }]);
    await writeFile(join(t.worktree, 'stop'), '');
    await until(() => t.items('command')[0]!.status === 'completed');
  });

  test('an interrupt ends those of its turn, those of earlier turns go on until the thread is closed', async () => {
    const t = await rig((_request, n) =>
      n === 1 || n === 3
        ? [exec(`echo $$ > pid${n}; exec sleep 300`, { yield_time_ms: 250 })]
        : n === 4
          ? [exec('touch waiting; sleep 300')]
          : [say('ok')],
    );
    await t.turn('one');
    const pid = async (n: number) => Number(await readFile(join(t.worktree, `pid${n}`), 'utf8'));
    const stop = new AbortController();
    const turn = t.turn('two', { signal: stop.signal });
    await until(() =>
      access(join(t.worktree, 'waiting')).then(
        () => true,
        () => false,
      ),
    );
    stop.abort();
    expect((await turn).status).toBe('interrupted');
    expect([await runs(await pid(1)), await runs(await pid(3))]).toEqual([true, false]);
    await t.sessions.dispose();
    expect(await runs(await pid(1))).toBe(false);
    await until(() => t.items('command').every((item) => item.status === 'interrupted'));
  });

  test('of more than 64 the least used is ended', async () => {
    const t = await rig((_request, n) =>
      n === 1 ? Array.from({ length: 65 }, (_, at) => exec(`echo $$ > p${at}; exec sleep 300`, { yield_time_ms: 250 })) : [say('ok')],
    );
    await t.turn('go');
    const pids = await Promise.all(Array.from({ length: 65 }, async (_, at) => Number(await readFile(join(t.worktree, `p${at}`), 'utf8'))));
    await until(async () => (await Promise.all(pids.map(runs))).filter(Boolean).length === 64);
    const ids = t.items('command').flatMap((item) => (item.sessionId === null ? [] : [item.sessionId]));
    expect(new Set(ids).size).toBe(64);
    expect(ids.every((id) => id >= 10_000 && id <= 99_999)).toBe(true);
  });
});

test('an image is shown to the model, what is none or too large is refused', async () => {
  const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');
  const huge = Buffer.from(png);
  huge.writeUInt32BE(20_000, 16);
  huge.writeUInt32BE(10_000, 20);
  const look = (path: string) => call('view_image', { path });
  const t = await rig([[look('a.png'), look('huge.png'), look('note.txt'), look('none.png'), look('../../etc/passwd')], [say('ok')]]);
  await writeFile(join(t.worktree, 'a.png'), png);
  await writeFile(join(t.worktree, 'huge.png'), huge);
  await writeFile(join(t.worktree, 'note.txt'), 'not an image, but long enough to be looked at as one');
  await t.turn('go');
  const outputs = t.server.requests[1]!.body.input.filter((item) => item.type === 'function_call_output').map((item) => item.output);
  expect(outputs[0]).toEqual([{ type: 'input_image', image_url: `data:image/png;base64,${png.toString('base64')}`, detail: 'auto' }]);
  expect(outputs.slice(1)).toEqual([
    expect.stringContaining('20000×10000'),
    expect.stringContaining('no PNG'),
    expect.stringContaining('ENOENT'),
    expect.stringContaining('outside the worktree'),
  ]);
});
