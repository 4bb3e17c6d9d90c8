import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { noRecipe, type Approval, type ItemOf, type TaskId } from '../../agent-core/contract/index.ts';
import { call, lastOutput, say, type Script } from '../model-server/index.ts';
import { git, Rig } from '../runtime/support.ts';

let rig: Rig;
let server: Server | null = null;
afterEach(async () => {
  server?.close();
  server = null;
  await rig.close();
});

const done: Script = () => [say('Done.')];
function commit(files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(rig.repo, name)), { recursive: true });
    writeFileSync(join(rig.repo, name), text);
  }
  git(rig.repo, 'add', '-Af');
  git(rig.repo, 'commit', '-qm', 'Files');
}
const lock = (...urls: string[]): string =>
  JSON.stringify({ lockfileVersion: 3, packages: Object.fromEntries(urls.map((resolved, at) => [`node_modules/p${at}`, { resolved }])) });
const setup = (script: string) => rig.call('recipe/write', { projectId: rig.project.id, recipe: { ...noRecipe, setup: script } });
const gates = (): Approval[] => Object.values(rig.board.approvals);
const asked = (): Promise<void> => rig.until(() => gates().length > 0, 'the gate');
const answers = () => rig.board.projects[rig.project.id]!.registries;
async function setupOf(id: TaskId): Promise<ItemOf<'command'>> {
  const { items } = await rig.call('thread/read', { threadId: rig.thread(id).id });
  return items.findLast((item): item is ItemOf<'command'> => item.type === 'command' && item.script === 'setup')!;
}
const listen = async (): Promise<number> => {
  server = createServer((_request, response) => response.end('a package\n'));
  await new Promise<void>((ready) => server!.listen(0, '127.0.0.1', ready));
  return (server.address() as AddressInfo).port;
};

test('setup waits for the one answer of the project, reaches the registry that the lockfile names, and no turn does', async () => {
  let seen = '';
  let port = 0;
  rig = await Rig.start((request) => {
    seen = lastOutput(request) || seen;
    return seen ? [say('Done.')] : [call('exec_command', { cmd: `curl -sS -m 3 http://127.0.0.1:${port}/a || echo closed` })];
  });
  port = await listen();
  commit({ 'package-lock.json': lock(`http://127.0.0.1:${port}/a/-/a-1.tgz`), 'web/yarn.lock': '__metadata:\n  version: 8\n' });
  await setup(`curl -sS -m 5 http://127.0.0.1:${port}/a`);
  const [first, second] = [await rig.create('First'), await rig.create('Second')];
  await asked();
  const [gate] = gates();
  expect(gate).toMatchObject({
    kind: 'setup',
    subject: `127.0.0.1:${port}\nregistry.yarnpkg.com:443`,
    reason: 'Named by package-lock.json, web/yarn.lock.',
    prefix: null,
  });
  expect(gate!.effect).toMatch(/in your network/);
  expect(rig.status(gate!.taskId)).toBe('needs-approval');
  await rig.call('approval/decide', { approvalIds: [gate!.id], decision: 'approve' });
  await rig.reaches(first.id, 'review');
  await rig.reaches(second.id, 'review');
  expect(gates()).toEqual([]);
  expect(answers()).toEqual({ allowed: [`127.0.0.1:${port}`, 'registry.yarnpkg.com:443'], refused: [] });
  for (const task of [first, second]) expect(await setupOf(task.id)).toMatchObject({ status: 'completed', output: 'a package\n' });
  expect(seen).toContain('closed');
  expect(rig.events.filter(({ event }) => event.type === 'approval.requested')).toHaveLength(1);
});

test('what setup leaves running loses its way out when setup is over', async () => {
  let seen = '';
  let port = 0;
  rig = await Rig.start((request) => {
    seen = lastOutput(request) || seen;
    return seen ? [say('Done.')] : [call('exec_command', { cmd: 'until grep -q after log; do sleep 0.1; done; cat log' })];
  });
  port = await listen();
  commit({ 'package-lock.json': lock(`http://127.0.0.1:${port}/a.tgz`) });
  await setup(
    `curl -sS -m 5 http://127.0.0.1:${port}/a > log\n(setsid sh -c 'sleep 2; curl -sS -m 3 http://127.0.0.1:${port}/a >> log || echo after: closed >> log' >/dev/null 2>&1 &)`,
  );
  await rig.call('recipe/answer', { projectId: rig.project.id, hosts: [`127.0.0.1:${port}`], answer: 'allow' });
  const task = await rig.create('Wait');
  await rig.reaches(task.id, 'review');
  expect(seen).toContain('a package\nafter: closed');
});

test('a refused registry stays closed and is not asked for again; a new one is', async () => {
  rig = await Rig.start(done);
  const port = await listen();
  commit({ 'package-lock.json': lock(`http://127.0.0.1:${port}/a.tgz`) });
  await setup(`curl -sS -m 3 http://127.0.0.1:${port}/a || echo closed`);
  const first = await rig.create('First');
  await asked();
  await rig.call('approval/decide', { approvalIds: [gates()[0]!.id], decision: 'decline' });
  await rig.reaches(first.id, 'review');
  expect((await setupOf(first.id)).output).toContain('closed');
  const second = await rig.create('Second');
  await rig.reaches(second.id, 'review');
  commit({ 'package-lock.json': lock(`http://127.0.0.1:${port}/a.tgz`, 'https://new.example/b.tgz') });
  const third = await rig.create('Third');
  await asked();
  expect(gates()[0]!.subject).toBe('new.example:443');
  await rig.call('recipe/answer', { projectId: rig.project.id, hosts: ['new.example:443'], answer: 'refuse' });
  await rig.reaches(third.id, 'review');
  expect(gates()).toEqual([]);
});

test('a stopped task takes its gate along, and the next that waits asks instead; after a restart it is asked anew', async () => {
  rig = await Rig.start(done);
  commit({ 'go.sum': 'x v1 h1:x=\n' });
  await setup('true');
  const tasks = [await rig.create('First'), await rig.create('Second')];
  await asked();
  const asker = gates()[0]!.taskId;
  await rig.call('task/stop', { taskId: asker });
  await rig.until(() => gates().some(({ taskId }) => taskId !== asker), 'the other asks');
  expect(gates()).toHaveLength(1);
  await rig.core.dispose();
  await rig.open();
  const other = tasks.find(({ id }) => id !== asker)!.id;
  await rig.until(() => gates().length === 1 && rig.status(other) === 'needs-approval', 'asked anew');
  await rig.call('approval/decide', { approvalIds: [gates()[0]!.id], decision: 'approve' });
  await rig.reaches(other, 'review');
  expect(answers()?.allowed).toEqual(['proxy.golang.org:443', 'sum.golang.org:443']);
});

test('a task that asks nobody runs setup with what is allowed already; without a setup script nothing is asked', async () => {
  rig = await Rig.start(done);
  commit({ 'go.sum': 'x v1 h1:x=\n' });
  const plain = await rig.create('No setup');
  await rig.reaches(plain.id, 'review');
  await setup('true');
  const task = await rig.create('Alone', { approval: 'never', origin: 'exec' });
  await rig.reaches(task.id, 'review');
  expect(rig.events.some(({ event }) => event.type === 'approval.requested')).toBe(false);
  expect(answers()).toBeUndefined();
});

test('only the base’s own lockfiles count: not a worktree’s, not a dependency’s', async () => {
  rig = await Rig.start(done);
  commit({
    'node_modules/x/package-lock.json': lock('https://dep.example/x.tgz'),
    'a/b/c/d/go.sum': '',
    'Cargo.lock': 'source = "sparse+https://crates.example/"',
  });
  writeFileSync(join(rig.repo, 'package-lock.json'), lock('https://evil.example/x.tgz'));
  const { registries } = await rig.call('recipe/registries', { projectId: rig.project.id });
  expect(registries).toEqual([{ host: 'crates.example:443', near: false, files: ['Cargo.lock'] }]);
  await expect(rig.call('recipe/answer', { projectId: rig.project.id, hosts: ['*'], answer: 'allow' })).rejects.toThrow(/no host pattern/);
});
