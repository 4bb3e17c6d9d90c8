import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import type { Denial, InputOf } from '../../agent-core/contract/index.ts';
import { call, lastOutput, say, type Script } from '../model-server/index.ts';
import { Rig } from '../runtime/support.ts';
import { certificate, listening, ordinary, outside, PUBLIC, tlsServer, type Outside } from '../sandbox-egress/outside.ts';

vi.setConfig({ testTimeout: 60_000 });
let rig: Rig;
afterEach(() => rig.close());

const run = (cmd: string) => call('exec_command', { cmd, yield_time_ms: 20_000 });
const outputs = (request: Parameters<Script>[0]): number => request.input.filter((item) => item.type === 'function_call_output').length;
const texts = (request: Parameters<Script>[0]): string => JSON.stringify(request.input);
const GET = 'curl -sS http://allowed.example/';
const denials = (): Denial[] => Object.values(rig.board.denials);
const decide = (scope: InputOf<'denial/decide'>['scope']) =>
  rig.call('denial/decide', { denialIds: denials().map(({ id }) => id), decision: 'allow', scope });

async function start(script: Script): Promise<Outside> {
  const net = await ordinary();
  rig = await Rig.start(script, { network: { resolve: net.resolve, dial: net.dial } });
  return net;
}

test('a blocked host is an item with the command that asked; the agent is told at its next step; nothing was looked up', async () => {
  const seen: string[] = [];
  const net = await start((request) => {
    seen.push(texts(request));
    return outputs(request) === 0 ? [run(GET)] : [say('ok')];
  });
  const task = await rig.create('Fetch');
  await rig.reaches(task.id, 'review');
  expect(denials()).toMatchObject([{ kind: 'host', subject: 'allowed.example:80', command: GET, taskId: task.id }]);
  const { items } = await rig.call('thread/read', { threadId: rig.thread(task.id).id });
  expect(items.filter((item) => item.type === 'denial')).toMatchObject([{ subject: 'allowed.example:80', decision: 'open' }]);
  expect(seen[1]).toContain('The sandbox blocked a connection to allowed.example:80');
  expect(seen[1]).toContain('Blocked by Signalbox');
  expect(net).toMatchObject({ looked: [], dialled: [] });
});

test('allowed once it works until the turn ends, and no longer', async () => {
  const heard: string[] = [];
  await start(async (request, n) => {
    if (n === 2 || n === 3 || n === 5) heard.push(lastOutput(request));
    if (n === 2) {
      await rig.until(() => denials().length === 1, 'a denial');
      await decide('once');
    }
    if (n === 3) expect(texts(request)).toContain('The person has allowed connections to allowed.example:80 until this turn ends');
    return n === 3 || n === 5 ? [say('ok')] : [run(GET)];
  });
  const task = await rig.create('Fetch');
  await rig.reaches(task.id, 'review');
  expect(rig.task(task.id).grants).toBeUndefined();
  await rig.call('turn/start', { threadId: rig.thread(task.id).id, text: 'Again' });
  await rig.until(() => rig.thread(task.id).turn?.number === 2 && rig.status(task.id) === 'review', 'the second turn');
  expect(heard[0]).toContain('Blocked by Signalbox');
  expect(heard[1]).toContain('host=allowed.example');
  expect(heard[2]).toContain('Blocked by Signalbox');
});

test('allowed for the project it holds in every task of it; taken back it is cut off for one that runs', async () => {
  const heard: string[] = [];
  await start((request) => {
    if (outputs(request)) heard.push(lastOutput(request));
    return outputs(request) ? [say('ok')] : [run(GET)];
  });
  const first = await rig.create('One');
  await rig.reaches(first.id, 'review');
  await decide('project');
  expect(rig.board.projects[rig.project.id]!.grants).toEqual({ hosts: ['allowed.example:80'], services: [] });
  expect(denials()).toEqual([]);
  const second = await rig.create('Two');
  await rig.reaches(second.id, 'review');
  expect(heard[1]).toContain('host=allowed.example');
  await rig.call('project/grant', { projectId: rig.project.id, remove: { hosts: ['allowed.example:80'] } });
  const third = await rig.create('Three');
  await rig.reaches(third.id, 'review');
  expect(heard[2]).toContain('Blocked by Signalbox');
});

test('a grant for one task leaves the others alone, and reaches a command that runs already', async () => {
  const loop = `for n in $(seq 200); do ${GET} | grep host= && exit; sleep 0.05; done; echo never`;
  const heard = new Map<string, string>();
  await start((request) => {
    if (!outputs(request)) return [run(texts(request).includes('Mine') ? loop : GET)];
    heard.set(texts(request).includes('Mine') ? 'mine' : 'other', lastOutput(request));
    return [say('ok')];
  });
  const mine = await rig.create('Mine');
  await rig.until(() => denials().length === 1, 'a denial');
  await rig.call('task/grant', { taskId: mine.id, add: { hosts: ['allowed.example:80'] } });
  const other = await rig.create('Other');
  await Promise.all([rig.reaches(mine.id, 'review'), rig.reaches(other.id, 'review')]);
  expect(heard.get('mine')).toContain('host=allowed.example');
  expect(heard.get('other')).toContain('Blocked by Signalbox');
});

test('the log of a task: newest first, in pages, with bytes and verdicts; a purged task leaves none', async () => {
  const news: string[] = [];
  await start((request) => (outputs(request) ? [say('ok')] : [run(`${GET}; curl -sS http://other.example/; curl -sS http://10.0.0.5/`)]));
  rig.core.onTransient((one) => one.type === 'network' && news.push(one.taskId));
  await rig.call('project/grant', { projectId: rig.project.id, add: { hosts: ['allowed.example'] } });
  const task = await rig.create('Fetch');
  await rig.reaches(task.id, 'review');
  const { entries } = await rig.call('network/log', { taskId: task.id });
  expect(entries.map(({ number, host, port, verdict }) => [number, host, port, verdict])).toEqual([
    [3, '10.0.0.5', 80, 'blocked'],
    [2, 'other.example', 80, 'blocked'],
    [1, 'allowed.example', 80, 'allowed'],
  ]);
  expect(entries[2]!.bytesIn).toBeGreaterThan(50);
  expect(entries[1]!.reason).toContain('not among the allowed hosts');
  expect(news).toContain(task.id);
  expect(denials().map(({ kind, subject }) => [kind, subject])).toEqual([
    ['host', 'other.example:80'],
    ['service', '10.0.0.5:80'],
  ]);
  const page = await rig.call('network/log', { taskId: task.id, before: 3, limit: 1 });
  expect(page).toMatchObject({ entries: [{ number: 2 }], more: true });
  // What a restarted core reads is the same, and its numbers go on.
  await rig.core.dispose();
  await rig.open();
  expect(await rig.call('network/log', { taskId: task.id })).toEqual({ entries, more: false });
  await rig.call('task/delete', { taskId: task.id });
  await rig.call('task/purge', { taskId: task.id });
  expect(readdirSync(join(rig.home, 'network'))).toEqual([]);
});

test('a pattern that is none, or opens everything, is refused where a person gives it, and nothing has changed', async () => {
  await start(() => [say('ok')]);
  const grant = (hosts: string[], services: string[] = []) =>
    rig.call('project/grant', { projectId: rig.project.id, add: { hosts, services } });
  for (const bad of [
    '*',
    '*:443',
    '*.com',
    'a\0b.example',
    '2130706433',
    '127.1',
    '0x7f.1',
    'host.',
    'a..b',
    'ho st',
    'höst.example',
    '',
    'a:0',
  ])
    await expect(grant(['fine.example', bad]), JSON.stringify(bad)).rejects.toMatchObject({ detail: { code: 'invalid-input' } });
  for (const bad of ['localhost', '*.internal:5432', 'localhost:70000'])
    await expect(grant([], [bad]), bad).rejects.toMatchObject({ detail: { code: 'invalid-input' } });
  expect(rig.board.projects[rig.project.id]!.grants).toBeUndefined();
  expect(await grant([' Registry.NPMJS.org:443 ', 'registry.npmjs.org:443'], ['LOCALHOST:5432'])).toEqual({
    hosts: ['registry.npmjs.org:443'],
    services: ['localhost:5432'],
  });
});

test('a service of this computer is reached inside under its own address, by a client that knows of no proxy', async () => {
  const heard: string[] = [];
  await start((request) => {
    if (outputs(request)) heard.push(lastOutput(request));
    return outputs(request) ? [say('ok')] : [run(`exec 3<>/dev/tcp/127.0.0.1/${port}; echo ping >&3; head -1 <&3`)];
  });
  const port = await listening(createServer((socket) => socket.once('data', (chunk) => socket.end(`the service heard ${String(chunk)}`))));
  const without = await rig.create('Without');
  await rig.reaches(without.id, 'review');
  expect(heard[0]).toMatch(/refused/i);
  await rig.core.dispose();
  rig.options = {};
  await rig.open();
  await rig.call('project/grant', { projectId: rig.project.id, add: { services: [`localhost:${port}`] } });
  const task = await rig.create('With');
  await rig.reaches(task.id, 'review');
  expect(heard[1]).toContain('the service heard ping');
});

test('a project’s credential goes with its tasks’ requests; it is in the key store and nowhere else, and forgotten with the project', async () => {
  const secret = 'sekrit-value-31415';
  const asked: (string | undefined)[] = [];
  const heard: string[] = [];
  const net = outside({ 'allowed.example': [PUBLIC] });
  net.routes.set(
    `${PUBLIC}:443`,
    await tlsServer((request, response) => {
      asked.push(request.headers.authorization);
      response.end('given');
    }),
  );
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-ca-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'ca.pem'), certificate().cert);
  rig = await Rig.start(
    (request) => {
      if (outputs(request)) heard.push(lastOutput(request));
      return outputs(request) ? [say('ok')] : [run('curl -sS https://allowed.example/')];
    },
    { network: { resolve: net.resolve, dial: net.dial } },
  );
  // The person's own certificates, as their environment names them.
  await rig.core.dispose();
  rig.options = {
    ...rig.options,
    env: {
      ...process.env,
      OPENAI_BASE_URL: rig.model.url,
      OPENAI_API_KEY: 'sk-test',
      SIGNALBOX_MODEL: 'gpt-5.5',
      SSL_CERT_FILE: join(folder, 'ca.pem'),
    },
  };
  await rig.open();
  const save = (more: Partial<InputOf<'credential/save'>>) =>
    rig.call('credential/save', { projectId: rig.project.id, host: 'allowed.example', kind: 'bearer', secret, ...more });
  for (const bad of [
    { host: '*' },
    { secret: 'a\nb: c' },
    { kind: 'header' as const, header: 'Host' },
    { kind: 'header' as const, header: 'a b' },
  ])
    await expect(save(bad), JSON.stringify(bad)).rejects.toMatchObject({ detail: { code: 'invalid-input' } });
  const kept = await save({ kind: 'basic', user: 'ada' });
  expect(kept).toMatchObject({ host: 'allowed.example:443', kind: 'basic', header: 'Authorization', user: 'ada' });
  expect(rig.board.projects[rig.project.id]!.grants!.hosts).toEqual(['allowed.example:443']);
  const task = await rig.create('Fetch');
  await rig.reaches(task.id, 'review');
  expect(heard).toEqual([expect.stringContaining('given')]);
  expect(asked).toEqual([`Basic ${Buffer.from(`ada:${secret}`).toString('base64')}`]);
  expect(JSON.stringify([rig.board, rig.events, rig.model.requests])).not.toContain(secret);
  const files = execFileSync('grep', ['-rlaF', secret, rig.home], { encoding: 'utf8' }).trim().split('\n');
  expect(files).toEqual([join(rig.home, 'secrets.json')]);
  expect(statSync(files[0]!).mode & 0o777).toBe(0o600);
  expect(await rig.call('credential/store', {})).toEqual({ kept: 'file', path: files[0] });
  // Kept through a restart.
  await rig.core.dispose();
  await rig.open();
  const again = await rig.create('Fetch again');
  await rig.reaches(again.id, 'review');
  expect(asked).toHaveLength(2);
  expect(asked[1]).toBe(asked[0]);
  await rig.call('credential/remove', { projectId: rig.project.id, id: kept.id });
  expect(readFileSync(files[0]!, { encoding: 'utf8', flag: 'a+' })).not.toContain(secret);
  const last = await rig.create('Fetch without');
  await rig.reaches(last.id, 'review');
  expect(asked[2]).toBeUndefined();
  await save({});
  for (const { id } of [task, again, last]) {
    await rig.call('task/delete', { taskId: id });
    await rig.call('task/purge', { taskId: id });
  }
  await rig.call('project/close', { projectId: rig.project.id });
  await expect.poll(() => readFileSync(files[0]!, { encoding: 'utf8', flag: 'a+' })).not.toContain(secret);
});
