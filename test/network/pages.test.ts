import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { afterAll, afterEach, expect, it, vi } from 'vitest';
import { Failure, type Connection, type Grants } from '../../agent-core/contract/index.ts';
import { START, board, ids } from '../renderer-task/support/fixtures.ts';
import { axe, shutBrowser, soon, stage, type Setting, type Stage } from '../renderer-task/support/stage.ts';

let open: Stage[] = [];
const show = async (setting: Setting): Promise<Stage> => {
  const made = await stage(setting);
  open.push(made);
  return made;
};
afterEach(async () => {
  await Promise.all(open.map((made) => made.close()));
  open = [];
});
afterAll(shutBrowser);
vi.setConfig({ testTimeout: 90_000, hookTimeout: 60_000 });

/** `SHOTS=folder` keeps pictures of what the tests see. */
async function shot(page: Stage['page'], name: string): Promise<void> {
  const folder = process.env['SHOTS'];
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  for (const colorScheme of ['dark', 'light'] as const) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: join(folder, `${name}-${colorScheme}.png`) });
  }
}

const entry = (number: number, change: Partial<Connection>): Connection => ({
  number,
  time: START + number * 1000,
  host: 'registry.npmjs.org',
  port: 443,
  bytesIn: 48_213,
  bytesOut: 1204,
  verdict: 'allowed',
  reason: '',
  command: '',
  ...change,
});
const log = [
  entry(3, {
    host: 'db.internal',
    port: 5432,
    verdict: 'failed',
    bytesIn: 0,
    bytesOut: 0,
    reason: 'db.internal port 5432 did not answer: no answer in time',
  }),
  entry(2, {
    host: 'telemetry.example.com',
    verdict: 'blocked',
    bytesIn: 0,
    bytesOut: 0,
    reason: 'telemetry.example.com is not among the allowed hosts.',
    command: 'node node_modules/.bin/next dev',
  }),
  entry(1, {}),
];

it('shows a task’s connections, follows them, and pages back', async () => {
  const { page, core, problems } = await show({
    tabs: ['network'],
    answers: {
      'network/log': ({ before }) =>
        before ? { entries: [entry(0, { host: 'older.example' })], more: false } : { entries: log, more: true },
      'port/list': () => ({ ports: [] }),
    },
  });
  const rows = page.getByRole('list', { name: 'Connections' }).getByRole('listitem');
  await soon(() => rows.count()).toBe(3);
  expect(await rows.nth(1).textContent()).toContain(
    'Blocked. telemetry.example.com is not among the allowed hosts. By node node_modules/.bin/next dev',
  );
  expect(await rows.nth(2).textContent()).toContain('48 kB in, 1.2 kB out');
  log.unshift(entry(4, { host: 'newest.example' }));
  core.transient({ type: 'network', taskId: ids.task });
  await soon(() => rows.count()).toBe(4);
  await page.getByRole('button', { name: 'Show older' }).click();
  await soon(() => rows.last().textContent()).toContain('older.example');
  expect(await axe(page)).toEqual([]);
  await shot(page, 'task-network');
  expect(problems).toEqual([]);
});

it('says what will be here while there is nothing, and why where it can’t be read', async () => {
  const { page } = await show({
    tabs: ['network'],
    answers: { 'network/log': () => ({ entries: [], more: false }), 'port/list': () => ({ ports: [] }) },
  });
  await page.getByText('None yet.').waitFor();
  await page.getByText('its port is listed here').waitFor();
  await shot(page, 'task-network-empty');
  const broken = await show({
    tabs: ['network'],
    answers: {
      'network/log': () => {
        throw new Failure('internal', 'The log can’t be read: EACCES.', {
          fix: 'Give yourself the right to read Signalbox’s data folder.',
        });
      },
      'port/list': () => ({ ports: [] }),
    },
  });
  await broken.page.getByRole('alert').getByText('can’t be read').waitFor();
  await shot(broken.page, 'task-network-failing');
  expect(await axe(broken.page)).toEqual([]);
});

it('opens a port to the person’s own browser by a click, and closes it', async () => {
  let at: number | null = null;
  const { page, core } = await show({
    tabs: ['network'],
    answers: {
      'network/log': () => ({ entries: [], more: false }),
      'port/list': () => ({ ports: [{ port: 5173, command: 'node node_modules/.bin/vite --host', open: at }] }),
      'port/open': ({ port }) => ({ port: (at = port + 1) }),
      'port/close': () => {
        at = null;
        return {};
      },
    },
  });
  await page.getByRole('button', { name: 'Open port 5173' }).click();
  const link = page.getByRole('link', { name: '127.0.0.1:5174' });
  await link.waitFor();
  expect(await link.getAttribute('href')).toBe('http://127.0.0.1:5174/');
  expect(await axe(page)).toEqual([]);
  await shot(page, 'task-ports');
  await page.getByRole('button', { name: 'Close port 5173' }).click();
  expect(await core.until('port/close')).toEqual({ taskId: ids.task, port: 5173 });
  await page.getByRole('button', { name: 'Open port 5173' }).waitFor();
});

it('a project’s hosts: presets, one by hand, one refused in the words of the core, one taken away', async () => {
  const given = board();
  const { page, core } = await show({
    board: given,
    answers: {
      'project/grant': ({ add, remove }) => {
        const projectId = ids.project;
        if (add?.hosts?.includes('*'))
          throw new Failure('invalid-input', '“*” is no host pattern. It would open every host.', { fix: 'Name a host.' });
        const now = core.board.projects[projectId]!.grants ?? { hosts: [], services: [] };
        const grants: Grants = {
          hosts: [...now.hosts.filter((one) => !remove?.hosts?.includes(one)), ...(add?.hosts ?? [])],
          services: [...now.services, ...(add?.services ?? [])],
        };
        core.emit({ type: 'project.granted', projectId, grants });
        return grants;
      },
    },
  });
  await page.evaluate((id) => {
    location.hash = `#/project/${id}`;
  }, ids.project);
  const section = page.getByRole('region', { name: 'Network' });
  await section.getByText('reach nothing outside their sandbox').waitFor();
  await section.scrollIntoViewIfNeeded();
  await shot(page, 'project-network-empty');
  await section.getByRole('button', { name: 'npm' }).click();
  await soon(() => section.getByRole('list', { name: 'Allowed hosts' }).getByRole('listitem').count()).toBe(4);
  expect(await section.getByRole('button', { name: 'npm', exact: true }).getAttribute('aria-pressed')).toBe('true');
  const field = section.getByRole('textbox', { name: 'Host', exact: true });
  await field.fill('*');
  await field.press('Enter');
  await section.getByRole('alert').getByText('It would open every host. Name a host.').waitFor();
  expect(await field.inputValue()).toBe('*');
  await shot(page, 'project-network-refused');
  await field.fill('*.example.com:443');
  await field.press('Enter');
  await section.getByRole('button', { name: 'Remove *.example.com:443' }).waitFor();
  await section.getByRole('textbox', { name: /^Service on this computer/ }).fill('localhost:5432');
  await section.getByRole('button', { name: 'Add', exact: true }).last().click();
  await section.getByText('localhost:5432').waitFor();
  await shot(page, 'project-network');
  await section.getByRole('button', { name: 'Remove nodejs.org:443' }).click();
  await soon(() => section.getByText('nodejs.org:443').count()).toBe(0);
  const { violations } = await new AxeBuilder({ page }).include('main').analyze();
  expect(violations.map(({ id, nodes }) => [id, nodes[0]?.html])).toEqual([]);
});

it('a credential is typed once, listed without its secret, and taken away', async () => {
  const { page, core } = await show({
    answers: {
      'credential/store': () => ({ kept: 'file', path: '/home/me/.signalbox/secrets.json' }),
      'credential/save': ({ host, kind, user = '' }) => {
        if (host === '*') throw new Failure('invalid-input', '“*” is no host pattern. It would open every host.', { fix: 'Name a host.' });
        const credential = { id: 'cred_1', host: `${host}:443`, kind, header: 'Authorization', user };
        core.emit({ type: 'project.granted', projectId: ids.project, grants: { hosts: [], services: [], credentials: [credential] } });
        return credential;
      },
      'credential/remove': () => {
        core.emit({ type: 'project.granted', projectId: ids.project, grants: { hosts: [], services: [] } });
        return {};
      },
    },
  });
  await page.evaluate((id) => {
    location.hash = `#/project/${id}`;
  }, ids.project);
  const group = page.getByRole('group', { name: 'Credentials' });
  await group.getByRole('button', { name: 'Add a credential' }).click();
  await group.getByRole('textbox', { name: 'For the host' }).fill('*');
  await group.getByRole('combobox', { name: 'Sent as' }).selectOption('basic');
  await group.getByRole('textbox', { name: 'User' }).fill('git');
  const secret = group.getByLabel('Password or token');
  expect(await secret.getAttribute('type')).toBe('password');
  await secret.fill('s3cret');
  await group.getByRole('button', { name: 'Save credential' }).click();
  await group.getByRole('alert').getByText('It would open every host.').waitFor();
  await group.scrollIntoViewIfNeeded();
  await shot(page, 'project-credential-refused');
  await group.getByRole('textbox', { name: 'For the host' }).fill('git.example.com');
  await group.getByRole('button', { name: 'Save credential' }).click();
  await group.getByRole('listitem').getByText('password of git').waitFor();
  expect(await core.until('credential/save', ({ host }) => host === 'git.example.com')).toEqual({
    projectId: ids.project,
    host: 'git.example.com',
    kind: 'basic',
    user: 'git',
    secret: 's3cret',
  });
  await group.getByText('only you can read, not encrypted').waitFor();
  expect(await page.content()).not.toContain('s3cret');
  await shot(page, 'project-credentials');
  const { violations } = await new AxeBuilder({ page }).include('main').analyze();
  expect(violations.map(({ id, nodes }) => [id, nodes[0]?.html])).toEqual([]);
  await group.getByRole('button', { name: 'Remove the credential for git.example.com:443' }).click();
  await soon(() => group.getByRole('listitem').count()).toBe(0);
});
