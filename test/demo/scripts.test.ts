import { spawnSync } from 'node:child_process';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { DEMO_PROMPTS, startDemoModel, type DemoModel } from '../../agent-core/demo/index.ts';
import { folderWith, type Folder } from '../apply-patch/folder.ts';
import { MiniLoop } from './loop.ts';
import { git, sampleRepository } from './sample.ts';

let server: DemoModel;
let folder: Folder;
let loop: MiniLoop;
beforeAll(async () => void (server = await startDemoModel({ pace: 0 })));
afterAll(() => server.close());
beforeEach(async () => {
  folder = await sampleRepository();
  loop = new MiniLoop(server, folder);
});
afterEach(async () => {
  await loop.dispose();
  await folder.remove();
});

const prompt = (title: string) => DEMO_PROMPTS.find((entry) => entry.title.startsWith(title))?.prompt ?? 'none';
const status = () => git(folder, 'status', '--porcelain').trim();
const tests = (of = folder) => {
  const { status: code, stdout } = spawnSync('node', ['--test', '--test-reporter=tap'], {
    cwd: of.path,
    encoding: 'utf8',
    env: { ...process.env, NODE_TEST_CONTEXT: undefined, NODE_OPTIONS: undefined },
  });
  return { code, failed: Number(/^# fail (\d+)/m.exec(stdout)?.[1]), passed: Number(/^# pass (\d+)/m.exec(stdout)?.[1]) };
};
const rejected = (note = '') =>
  `exec_command failed: CreateProcess { message: ${JSON.stringify(`Rejected(${JSON.stringify(`rejected by user${note && `: ${note}`}`)})`)} }`;

test('the sample has one failing test, to begin with', () => {
  expect(tests()).toEqual({ code: 1, failed: 1, passed: 8 });
  expect(git(folder, 'log', '--oneline').trim().split('\n')).toHaveLength(3);
});

describe('fix the failing test', () => {
  test('the tests pass afterwards, and the fix is committed', async () => {
    const closing = await loop.turn(prompt('Fix'));
    expect(tests()).toEqual({ code: 0, failed: 0, passed: 9 });
    expect(status()).toBe('');
    expect(git(folder, 'log', '-1', '--format=%s')).toBe('Round the tax once, on the whole invoice\n');
    expect(git(folder, 'show', '--stat', '--format=')).toMatch(/src\/invoice\.js[^]*1 file changed/);
    expect(closing).toMatch(/All 9 tests pass\. Committed as `[0-9a-f]{7,} Round the tax once/);
    expect(loop.calls.map((call) => call.name)).toContain('update_plan');
  });

  test('says so when the tests still fail, and commits nothing', async () => {
    loop.intercept = (_name, args) =>
      String(args['cmd']) === 'npm test' && loop.calls.some((call) => call.name === 'apply_patch')
        ? 'Process exited with code 1\nOutput:\nnot ok 1 - something else\n# pass 8\n# fail 1\n'
        : undefined;
    expect(await loop.turn(prompt('Fix'))).toMatch(/8 tests pass, 1 fail: “something else”\. So the work is not done/);
    expect(status()).toBe('M src/invoice.js');
  });

  test('does not edit twice: in the same thread, and where the fix is there already', async () => {
    await loop.turn(prompt('Fix'));
    const head = git(folder, 'rev-parse', 'HEAD');
    expect(await loop.turn(prompt('Fix'))).toMatch(/All 9 tests pass; there is nothing to fix/);
    expect([git(folder, 'rev-parse', 'HEAD'), status()]).toEqual([head, '']);
  });

  test('goes on where the patch was applied but its result was lost', async () => {
    let lost = 0;
    loop.intercept = (name) =>
      name === 'apply_patch' && lost++ === 0 ? 'aborted: Signalbox stopped before this call had finished' : undefined;
    const interrupted = loop.turn(prompt('Fix'));
    expect(await interrupted).toMatch(/Committed as/);
    expect(tests().code).toBe(0);
  });

  test('does not force its patch on a file that someone changed', async () => {
    await folder.files.write('src/invoice.js', (await folder.files.read('src/invoice.js')).toString().replace('Math.floor', 'Math.trunc'));
    expect(await loop.turn(prompt('Fix'))).toMatch(/not as this script expects it/);
    expect((await folder.files.read('src/invoice.js')).toString()).toContain('Math.trunc');
  });

  test('a declined patch and a declined command are taken as they are', async () => {
    loop.intercept = (name) => (name === 'apply_patch' ? 'patch rejected by user: not now' : undefined);
    expect(await loop.turn(prompt('Fix'))).toMatch(/was declined \(“not now”\)/);
    const other = new MiniLoop(server, folder);
    other.intercept = (name) => (name === 'exec_command' ? rejected() : undefined);
    expect(await other.turn(prompt('Fix'))).toMatch(/Looking at the repository was declined, so there is nothing that I can do/);
    expect(status()).toBe('');
  });

  test('works without a plan tool and with apply_patch as a function', async () => {
    loop.tools = [
      ...loop.tools.filter((tool) => tool.type === 'function' && tool.name !== 'update_plan'),
      { type: 'function', name: 'apply_patch', parameters: { type: 'object', properties: { input: { type: 'string' } } }, strict: false },
    ];
    expect(await loop.turn(prompt('Fix'))).toMatch(/Committed as/);
    expect(loop.calls.map((call) => call.name)).not.toContain('update_plan');
  });
});

test('build the feature: its tests pass, nothing else is touched, the old failure is named', async () => {
  const closing = await loop.turn(prompt('Build'));
  expect(tests()).toEqual({ code: 1, failed: 1, passed: 12 });
  expect(
    status()
      .split('\n')
      .map((line) => line.trim()),
  ).toEqual(['M ISSUES.md', '?? src/discount.js', '?? test/discount.test.js']);
  expect(closing).toMatch(/12 tests pass, 1 fail: “rounds the tax once, on the whole invoice”\. That one failed before I began/);
  expect(closing).toMatch(/these 3 paths[^]*\?\? src\/discount\.js/);
  expect(await loop.turn(prompt('Build'))).toMatch(/Discount codes work/);
});

test('both changes fit together, and with the documents', async () => {
  await loop.turn(prompt('Build'));
  await new MiniLoop(server, folder).turn(prompt('Fix'));
  const writer = new MiniLoop(server, folder);
  writer.hasty = true;
  await writer.turn(prompt('Document'));
  expect(tests()).toEqual({ code: 0, failed: 0, passed: 13 });
});

describe('a command outside the sandbox', () => {
  test('is asked for with a reason, harmless, and reported', async () => {
    const name = prompt('Whose');
    loop.intercept = (_tool, args) => (args['sandbox_permissions'] ? 'Process exited with code 0\nOutput:\nAda Lovelace\n' : undefined);
    expect(await loop.turn(name)).toMatch(/Sam Shopkeeper[^]*\*\*Ada Lovelace\*\*/);
    const asked = loop.calls.filter((call) => call.args['sandbox_permissions'] === 'require_escalated');
    expect(asked.map((call) => [call.args['cmd'], String(call.args['justification']).endsWith('me.')])).toEqual([
      ['git config --global --get user.name', true],
    ]);
    expect(status()).toBe('');
  });

  test("is done without when declined, in the person's own words", async () => {
    loop.intercept = (_tool, args) => (args['sandbox_permissions'] ? rejected('none of your business') : undefined);
    const closing = await loop.turn(prompt('Whose'));
    expect(closing).toMatch(/Sam Shopkeeper[^]*declined \(“none of your business”\)/);
    expect(loop.commands.filter((cmd) => cmd.includes('--global'))).toHaveLength(1);
  });

  test('and when no name is set, it says so', async () => {
    loop.intercept = (_tool, args) => (args['sandbox_permissions'] ? 'Process exited with code 1\nOutput:\n' : undefined);
    expect(await loop.turn(prompt('Whose'))).toMatch(/names nobody/);
  });
});

test('the dev server really runs, answers another command, and stays', async () => {
  const closing = await loop.turn(prompt('Start'));
  expect(closing).toMatch(/`\{"status":"ok"\}`[^]*Invoice 1[^]*2 x Coffee[^]*still running as session \d+/);
  const url = /http:\/\/127\.0\.0\.1:\d+/.exec(closing)?.[0] ?? '';
  expect(await (await fetch(`${url}/health`)).json()).toEqual({ status: 'ok' });
  expect(status()).toBe('');
});

test('the documents say what the code says, slowly', async () => {
  loop.hasty = true;
  const closing = await loop.turn(prompt('Document'));
  expect(loop.commands.filter((cmd) => cmd.startsWith('sleep 1;')).length).toBeGreaterThan(6);
  const page = (await folder.files.read('docs/api.md')).toString();
  expect(page).toContain("- `formatMoney(cents, currency = 'EUR')`: Turns cents into text");
  expect(page.match(/^## /gm)).toHaveLength(4);
  expect(page.match(/^- /gm)).toHaveLength(10);
  expect(closing).toMatch(/lists 10 functions of 4 modules \(10 found/);
  expect(
    status()
      .split('\n')
      .map((line) => line.trim()),
  ).toEqual(['M README.md', '?? docs/']);
});

describe('anything else', () => {
  test('is answered honestly, with no call and no edit', async () => {
    for (const text of ['Rewrite it in Rust', 'fix', '`npm test` fails. Also delete everything.', 'hi']) {
      expect(await new MiniLoop(server, folder).turn(text)).toMatch(/offline demo model[^]*changed nothing[^]*Settings/);
    }
    expect(loop.calls).toEqual([]);
    expect(status()).toBe('');
  });

  test('a scripted prompt in another repository looks, and changes nothing', async () => {
    const other = await folderWith({ 'package.json': '{"name":"other"}', 'src/invoice.js': 'x\n' });
    const stranger = new MiniLoop(server, other);
    expect(await stranger.turn(prompt('Fix'))).toMatch(/belongs to the sample repository, which this is not/);
    expect(stranger.commands).toHaveLength(1);
    expect(await other.read()).toEqual({ 'package.json': '{"name":"other"}', 'src/invoice.js': 'x\n' });
    await other.remove();
  });

  test('a follow-up gets an honest answer', async () => {
    await loop.turn(prompt('Fix'));
    const calls = loop.calls.length;
    expect(await loop.turn('And now make it faster')).toMatch(/As a demo I only play scripts, and this one is over/);
    expect(await loop.turn('Please!')).toMatch(/this one is over/);
    expect(loop.calls).toHaveLength(calls);
  });

  test('steering is read, answered, and not acted on', async () => {
    loop.input.push({ role: 'user', content: prompt('Fix') });
    await loop.step();
    loop.input.push({ role: 'user', content: 'use tabs please' });
    await loop.step();
    expect(loop.said.at(-1)).toMatch(/I have read “use tabs please”, but as a demo I only play a script/);
    expect(await loop.turn()).toMatch(/Committed as/);
    expect(loop.said.filter((text) => text.includes('use tabs'))).toHaveLength(1);
  });

  test('an interrupted turn goes on where it was, asked or not, and plays nothing on other words', async () => {
    loop.input.push({ role: 'user', content: prompt('Fix') });
    await loop.step();
    const aborted = { role: 'user' as const, content: '<turn_aborted>\nThe person stopped the turn here.\n</turn_aborted>' };
    loop.input.push(aborted);
    const calls = loop.calls.length;
    expect(await loop.turn('what is 2 + 2?')).toMatch(/you stopped this one/);
    expect(loop.calls).toHaveLength(calls);
    loop.input.push(aborted);
    expect(await loop.turn('Please continue.')).toMatch(/Committed as/);
    const fresh = new MiniLoop(server, folder);
    fresh.input.push({ role: 'user', content: prompt('Whose') });
    await fresh.step();
    fresh.input.push(aborted);
    expect(await fresh.turn()).toMatch(/Nothing was changed/);
  });
});
