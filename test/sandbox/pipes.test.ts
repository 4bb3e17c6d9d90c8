import { expect, onTestFinished, test } from 'vitest';
import { PipePool } from '../../agent-core/sandbox/process/pipe-pool.ts';
import { pipeProcess } from '../../agent-core/sandbox/process/pipes.ts';
import { spawnPiped } from '../../agent-core/sandbox/process/spawn-piped.ts';

test('what waits in a pipe is read before it counts as quiet, however late the core is', async () => {
  const pool = new PipePool();
  onTestFinished(() => pool.dispose());
  const { child, pipes } = await spawnPiped(pool, {
    file: '/bin/sh',
    args: ['-c', '(sleep 0.1; echo late) & exit 0'],
    env: { PATH: '/usr/bin:/bin' },
    cwd: '/',
  });
  const running = pipeProcess(child, pipes, async () => {});
  let text = '';
  running.onOutput((chunk) => {
    text += Buffer.from(chunk).toString();
  });
  // From the command's end on the core is busy with something else, past the time after which silence would count.
  child.once('exit', () =>
    setImmediate(() => {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
    }),
  );
  await running.exited;
  expect(text).toBe('late\n');
});
