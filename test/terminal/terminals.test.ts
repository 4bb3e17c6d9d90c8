import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { Terminals } from '../../agent-core/terminal/terminals.ts';
import { until } from '../hosts/support/core.ts';
import { temp } from '../hosts/support/temp.ts';
import { plainMachine, task, watcher, type PlainProcess } from './support/plain.ts';

let started: PlainProcess[];
let terminals: Terminals;
const size = { cols: 80, rows: 24 };

beforeEach(() => {
  const plain = plainMachine();
  started = plain.started;
  const cwd = temp('terminal');
  terminals = new Terminals({ open: async () => ({ machine: plain.machine, cwd, title: 'Fix it' }), shell: undefined });
  onTestFinished(() => terminals.dispose());
});

async function watched() {
  const info = await terminals.open(task(), size);
  const client = watcher();
  const { screen } = await terminals.attach(info.id, client);
  const see = (text: string) => until(() => (screen + client.text(info.id)).includes(text), `to see ${text}`);
  return { id: info.id, info, client, see };
}

test('a shell with a prompt, an environment and its folder', async () => {
  const { id, info, see, client } = await watched();
  expect(info).toMatchObject({ title: 'Fix it', cols: 80, rows: 24, running: true, exitCode: null });
  await see('$ ');
  terminals.write(id, 'echo "[$TERM $COLORTERM]"; stty size; tty >/dev/null && echo a-t""ty\r');
  await see('[xterm-256color truecolor]');
  await see('24 80');
  await see('a-tty');
  terminals.resize(id, { cols: 100, rows: 30 });
  terminals.write(id, 'stty size\r');
  await see('30 100');
  terminals.write(id, 'sleep 100\r');
  await see('sleep 100');
  terminals.write(id, '\x03');
  terminals.write(id, 'echo back $?\r');
  await see('back 130');
  terminals.write(id, 'exit 7\r');
  await until(() => client.got.some((news) => news.type === 'terminal.exited' && news.exitCode === 7), 'the end');
  expect(terminals.list(info.taskId)).toMatchObject([{ id, running: false, exitCode: 7 }]);
});

test('who attaches later gets the screen, not a replay, and what follows', async () => {
  const { id, see } = await watched();
  terminals.write(id, 'seq 1 3000; printf "\\e[31mred\\e[0m\\n"; echo d""one\r');
  await see('done');
  const late = watcher();
  const { screen } = await terminals.attach(id, late);
  expect(screen).toContain('done');
  expect(screen).toContain('2999');
  expect(screen).not.toContain('\n500\r');
  expect(screen).toMatch(/\x1b\[31mred/);
  terminals.write(id, 'echo more-to-come\r');
  await until(() => late.text(id).includes('more-to-come'), 'the rest');
  terminals.detach(id, late);
  const before = late.got.length;
  terminals.write(id, 'echo un""seen\r');
  await see('unseen');
  expect(late.got).toHaveLength(before);
});

test('a snapshot and what follows it make the whole, in the midst of output', async () => {
  const { id, see, client } = await watched();
  terminals.write(id, 'stty -echo; for n in $(seq 1 4000); do echo "<$n>"; done; echo e""nd\r');
  await until(() => client.text(id).includes('<200>'), 'some');
  const late = watcher();
  const { screen } = await terminals.attach(id, late);
  await see('end');
  await until(() => late.text(id).includes('end') || screen.includes('end'), 'the end there too');
  const numbers = [...(screen + late.text(id)).matchAll(/<(\d+)>/g)].map((match) => Number(match[1]));
  const first = numbers[0] ?? 0;
  expect(numbers).toEqual(Array.from({ length: 4000 - first + 1 }, (_, at) => first + at));
});

test('letters that a chunk cuts in two stay whole', async () => {
  const { id, see, client } = await watched();
  terminals.write(id, `printf '\\xf0\\x9f'; sleep 0.1; printf '\\x99\\x82 s\\x61id\\n'\r`);
  await see('🙂 said');
  expect(client.text(id)).not.toContain('\ufffd');
});

test('a slow reader makes the program wait; acknowledging lets it go on', async () => {
  const { id, client } = await watched();
  terminals.write(id, `head -c 3000000 /dev/zero | tr '\\0' x; echo; echo a""ll\r`);
  await until(() => started[0]?.paused === true, 'paused');
  const held = client.text(id).length;
  expect(held).toBeLessThan(2_000_000);
  let acked = 0;
  await until(
    () => {
      const now = client.text(id).length;
      terminals.ack(id, client, now - acked);
      acked = now;
      return client.text(id).includes('all');
    },
    'all of it',
    20_000,
  );
  expect(client.text(id).match(/x/g)?.length).toBeGreaterThan(2_990_000);
});

test('a client that goes doesn’t hold up the rest, and with nobody there it runs on', async () => {
  const { id, client, info } = await watched();
  terminals.write(id, `head -c 3000000 /dev/zero | tr '\\0' x; echo; exit 3\r`);
  await until(() => started[0]?.paused === true, 'paused');
  client.close();
  await until(() => terminals.list(info.taskId)[0]?.exitCode === 3, 'the end');
});

test('questions are answered once, by the mirror', async () => {
  const { id, see, client } = await watched();
  await see('$ ');
  terminals.write(id, `stty -echo; printf '\\e[6n'; IFS= read -rsd R answer; echo "got \${answer#*[} e""nd"; stty echo\r`);
  await see(' end');
  expect(client.text(id)).toMatch(/got \d+;\d+ end/);
  expect(client.text(id)).not.toContain('\x1b[6n');
});

test('the clipboard stays out of reach', async () => {
  const { id, see, client } = await watched();
  terminals.write(id, `printf '\\e]52;c;aGVsbG8=\\a'; echo a""fter\r`);
  await see('after');
  expect(client.text(id)).not.toContain('\x1b]52');
});

test('closing ends the shell; ended ones make room; unknown ones are said', async () => {
  const { id, info, client } = await watched();
  await terminals.close(id);
  expect(terminals.list(info.taskId)).toEqual([]);
  expect(() => process.kill(started[0]?.pid ?? 0, 0)).toThrow('ESRCH');
  expect(() => terminals.write(id, 'x')).toThrow('That terminal is gone.');
  await expect(async () => terminals.attach(id, client)).rejects.toMatchObject({ detail: { code: 'not-found' } });
  const again = await terminals.open(info.taskId, size);
  terminals.write(again.id, 'exit\r');
  await until(() => terminals.list(info.taskId)[0]?.running === false, 'ended');
  const third = await terminals.open(info.taskId, size);
  expect(terminals.list(info.taskId).map((each) => each.id)).toEqual([third.id]);
  await terminals.closeTask(info.taskId);
  expect(terminals.list(info.taskId)).toEqual([]);
});
