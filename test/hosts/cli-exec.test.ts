import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { call, customCall, delayMs, say, startModelServer, status, type ModelServer, type Script } from '../model-server/index.ts';
import { desk, git, jsonLines, repository } from './support/cli.ts';
import { until } from './support/core.ts';

let my: ReturnType<typeof desk>;
let repo: string;

beforeEach(() => {
  my = desk();
  repo = repository(join(my.folder, 'repo'));
});

async function model(script: Script): Promise<{ server: ModelServer; env: Record<string, string> }> {
  const server = await startModelServer(script);
  onTestFinished(() => server.close());
  return { server, env: { OPENAI_BASE_URL: server.url, OPENAI_API_KEY: 'sk-test', SIGNALBOX_MODEL: 'test-model' } };
}
const types = (text: string) => jsonLines(text).map((line) => line.type);
const last = (text: string) => jsonLines(text).at(-1)!;
const commits =
  (...steps: Parameters<typeof say>): Script =>
  (_request, n) =>
    n === 1 ? [call('exec_command', { cmd: 'echo two > b.txt && git add b.txt && git commit -q -m Agent && echo ok' })] : [say(...steps)];

describe('exec', () => {
  test('works in a worktree of its own and tells it in JSON lines, first to last', async () => {
    const { server, env } = await model(commits('All done.'));
    const before = {
      head: git(repo, 'rev-parse', 'HEAD'),
      config: readFileSync(join(repo, '.git/config'), 'utf8'),
      index: readFileSync(join(repo, '.git/index')),
    };
    const { code, stdout, stderr } = await my.run(['exec', '--json', '--repo', repo, 'Add a file'], { env });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const lines = jsonLines(stdout);
    expect(types(stdout).slice(0, 3)).toEqual(['task.created', 'workspace.ready', 'turn.started']);
    expect(types(stdout)).toEqual(expect.arrayContaining(['item.started', 'item.completed']));
    const [created] = lines;
    const ending = last(stdout);
    const worktree = join(my.home, 'worktrees', 'repo', 'add-a-file');
    expect(ending).toMatchObject({
      type: 'turn.completed',
      task: created!['task'],
      branch: 'signalbox/add-a-file',
      worktree,
      message: 'All done.',
    });
    expect(ending['usage']).toMatchObject({ inputTokens: expect.any(Number), outputTokens: expect.any(Number) });
    const command = lines.find((line) => line.type === 'item.completed' && (line['item'] as { type: string }).type === 'command');
    expect(command?.['item']).toMatchObject({ status: 'completed', exitCode: 0, output: expect.stringContaining('ok') });
    expect(readFileSync(join(worktree, 'b.txt'), 'utf8')).toBe('two\n');
    expect(git(repo, 'log', '--format=%s', 'signalbox/add-a-file')).toBe('Agent\nFirst');
    expect(git(worktree, 'status', '--short')).toBe('');
    expect(git(repo, 'rev-parse', 'HEAD')).toBe(before.head);
    expect(readFileSync(join(repo, '.git/config'), 'utf8')).toBe(before.config);
    expect(readFileSync(join(repo, '.git/index')).equals(before.index)).toBe(true);
    expect(git(repo, 'status', '--short')).toBe('?? untracked.txt');
    expect(server.requests[0]?.body.model).toBe('test-model');
    expect(server.requests[0]?.headers.authorization).toBe('Bearer sk-test');
    expect(readFileSync(join(my.home, 'signalbox.db')).includes('sk-test')).toBe(false);
  });

  test('for a person: the words on stdout, the rest on stderr', async () => {
    const { env } = await model(commits('All done.'));
    const { code, stdout, stderr } = await my.run(['exec', '--repo', repo, 'Add a file'], { env });
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'All done.\n' });
    expect(stderr).toContain('git commit');
    expect(stderr).toContain('signalbox/add-a-file');
  });

  test('another base, the prompt from stdin, a folder below the top', async () => {
    const { server, env } = await model(() => [say('Yes.')]);
    git(repo, 'switch', '-q', 'side');
    writeFileSync(join(repo, 'side.txt'), 's');
    git(repo, 'add', 'side.txt');
    git(repo, 'commit', '-q', '-m', 'Side');
    git(repo, 'switch', '-q', 'main');
    const { code, stdout } = await my.run(['exec', '--json', '--base', 'side', '-'], { env, cwd: repo, input: 'Look\naround' });
    expect(code).toBe(0);
    expect(existsSync(join(last(stdout)['worktree'] as string, 'side.txt'))).toBe(true);
    expect(JSON.stringify(server.requests[0]?.body.input)).toContain('Look\\naround');
  });

  test('an escalation is declined by default, and the turn goes on', async () => {
    const { env } = await model((_request, n) =>
      n === 1
        ? [call('exec_command', { cmd: 'touch /tmp/escaped', sandbox_permissions: 'require_escalated', justification: 'I want out' })]
        : [say('Well.')],
    );
    const { code, stdout } = await my.run(['exec', '--json', '--repo', repo, 'Get out'], { env });
    expect(code).toBe(0);
    expect(types(stdout)).not.toContain('approval.requested');
    expect(last(stdout)).toMatchObject({ type: 'turn.completed', message: 'Well.' });
  });

  test('--in-place works in the checkout itself, its git read-only', async () => {
    const { env } = await model((_request, n) =>
      n === 1 ? [customCall('apply_patch', '*** Begin Patch\n*** Update File: a.txt\n@@\n-one\n+two\n*** End Patch')] : [say('Changed.')],
    );
    const { code, stdout } = await my.run(['exec', '--json', '--in-place', '--repo', repo, 'Change it'], { env });
    expect(code).toBe(0);
    expect(last(stdout)).toMatchObject({ worktree: repo });
    expect(readFileSync(join(repo, 'a.txt'), 'utf8')).toBe('two\n');
    expect(git(repo, 'branch', '--format=%(refname:short)')).toBe('main\nside');
  });
});

describe('--allow-host', () => {
  test('lets the task reach that host and no other', async () => {
    const web = createServer((_request, response) => response.end('reached'));
    web.listen(0, '127.0.0.1');
    await once(web, 'listening');
    onTestFinished(() => {
      web.close();
    });
    const { port } = web.address() as AddressInfo;
    const { server, env } = await model((_request, n) =>
      n === 1 ? [call('exec_command', { cmd: `curl -sS http://localhost:${port}/; curl -sS http://other.example/` })] : [say('Done.')],
    );
    const { code } = await my.run(['exec', '--json', '--repo', repo, '--allow-host', `localhost:${port}`, 'Fetch'], { env });
    expect(code).toBe(0);
    const heard = JSON.stringify(server.requests[1]?.body.input);
    expect(heard).toContain('reached');
    expect(heard).toContain('other.example is not among the allowed hosts');
  });

  test.each(['exec', 'batch'])('%s: a pattern that opens everything ends with 3, and nothing is made', async (command) => {
    const { env } = await model(() => [say('No.')]);
    const file = join(my.folder, 'tasks.jsonl');
    writeFileSync(file, JSON.stringify({ prompt: 'x', repo }));
    const { code, stderr } = await my.run([command, '--allow-host', '*', command === 'exec' ? 'x' : file], { env, cwd: repo });
    expect(code).toBe(3);
    expect(stderr).toContain('It would open every host. Nothing was run.');
    expect(git(repo, 'branch', '--format=%(refname:short)')).toBe('main\nside');
  });
});

describe('what goes wrong', () => {
  test('no model: exit 4, and nothing is made', async () => {
    const { code, stdout, stderr } = await my.run(['exec', '--json', '--repo', repo, 'x']);
    expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
    expect(stderr).toContain('--model demo');
    expect(git(repo, 'branch', '--format=%(refname:short)')).toBe('main\nside');
  });

  test.each([
    [401, 'model-unauthorized'],
    [404, 'model-unknown'],
  ])('a model that answers %i: exit 4', async (http, code) => {
    const { env } = await model(() => [status(http)]);
    const result = await my.run(['exec', '--json', '--repo', repo, 'x'], { env });
    expect(result.code).toBe(4);
    expect(last(result.stdout)).toMatchObject({ type: 'turn.failed', error: { code } });
    expect(result.stderr).toContain('signalbox: ');
  });

  test.each([
    ['no repository', ['--repo', '/usr']],
    ['no such base', ['--base', 'nowhere']],
  ])('%s: exit 2, and nothing is made', async (_name, args) => {
    const { env } = await model(() => [say('no')]);
    const { code, stdout } = await my.run(['exec', '--json', ...args, 'x'], { env, cwd: repo });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(git(repo, 'branch', '--format=%(refname:short)')).toBe('main\nside');
  });

  test('Ctrl-C interrupts the turn and ends well', async () => {
    const { env } = await model((_request, n) =>
      n === 1 ? [call('exec_command', { cmd: 'echo begun > begun.txt; sleep 600' })] : [say('no')],
    );
    const running = my.start(['exec', '--json', '--repo', repo, 'Wait'], { env });
    const worktree = join(my.home, 'worktrees', 'repo', 'wait');
    await until(() => existsSync(join(worktree, 'begun.txt')), 'the command', 20_000);
    running.child.kill('SIGINT');
    const { code, stdout } = await running.outcome;
    expect(code).toBe(1);
    expect(last(stdout)).toMatchObject({ type: 'turn.interrupted', branch: 'signalbox/wait', worktree });
    expect(readFileSync(join(worktree, 'begun.txt'), 'utf8')).toBe('begun\n');
  });
});

test('harvest and sandbox in a task’s worktree, while its core runs and after', async () => {
  const { env } = await model((_request, n) =>
    n === 1
      ? [call('exec_command', { cmd: 'echo two > b.txt && git add b.txt && git commit -q -m Agent' })]
      : [delayMs(6000), say('Done.')],
  );
  const running = my.start(['exec', '--json', '--repo', repo, 'Both'], { env });
  const worktree = join(my.home, 'worktrees', 'repo', 'both');
  await until(() => running.stdout().split('"type":"command"').length > 2, 'the commit', 20_000);
  expect(git(repo, 'log', '--format=%s', 'signalbox/both')).toBe('First');
  expect(await my.run(['harvest'], { cwd: worktree })).toMatchObject({ code: 0, stdout: expect.stringContaining('signalbox/both is at ') });
  expect(git(repo, 'log', '--format=%s', 'signalbox/both')).toBe('Agent\nFirst');
  expect(await my.run(['sandbox', '--', 'git', 'log', '--format=%s'], { cwd: worktree })).toMatchObject({
    code: 0,
    stdout: 'Agent\nFirst\n',
  });
  expect((await running.outcome).code).toBe(0);
  expect(await my.run(['sandbox', '--', 'git', 'commit', '-q', '--allow-empty', '-m', 'More'], { cwd: worktree })).toMatchObject({
    code: 0,
  });
  expect((await my.run(['harvest'], { cwd: worktree })).code).toBe(0);
  expect(git(worktree, 'log', '--format=%s')).toBe('More\nAgent\nFirst');
  expect(git(worktree, 'status', '--short')).toBe('');
}, 60_000);

test('killed in the midst of a turn it leaves no process, and the next one on that home works', async () => {
  const mark = `${process.pid}${Date.now() % 100_000}`;
  const { env } = await model((request) =>
    JSON.stringify(request.input).includes('Hold on please')
      ? [call('exec_command', { cmd: `setsid sleep 9${mark} & touch begun; sleep 9${mark}` })]
      : [say('Fine.')],
  );
  const running = my.start(['exec', '--json', '--repo', repo, 'Hold on please'], { env });
  await until(() => existsSync(join(my.home, 'worktrees', 'repo', 'hold-on-please', 'begun')), 'the command', 20_000);
  running.child.kill('SIGKILL');
  await running.outcome;
  await until(() => !execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).includes(`9${mark}`), 'nothing left');
  const { code, stdout } = await my.run(['exec', '--json', '--repo', repo, 'next'], { env });
  expect(code).toBe(0);
  expect(last(stdout)['message']).toBe('Fine.');
}, 60_000);

describe('several at once', () => {
  test('on one home they share a core, and none ends another’s', async () => {
    const { env } = await model((request) =>
      JSON.stringify(request.input).includes('slow') ? [delayMs(1500), say('Slow.')] : [say('Quick.')],
    );
    const quick = my.start(['exec', '--json', '--repo', repo, 'quick one'], { env });
    await until(() => quick.stdout().includes('task.created'), 'the first', 20_000);
    const others = ['slow two', 'slow three'].map((prompt) => my.run(['exec', '--json', '--repo', repo, prompt], { env }));
    const all = await Promise.all([quick.outcome, ...others]);
    expect(all.map(({ code }) => code)).toEqual([0, 0, 0]);
    expect(all.map(({ stdout }) => last(stdout)['message'])).toEqual(['Quick.', 'Slow.', 'Slow.']);
  }, 60_000);
});

describe('batch', () => {
  const file = (...lines: unknown[]) => {
    const path = join(my.folder, 'tasks.jsonl');
    writeFileSync(path, lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'));
    return path;
  };

  test('runs all, each after what it depends on, and counts', async () => {
    const { server, env } = await model(() => [delayMs(100), say('Ok.')]);
    const path = file(
      { prompt: 'Third thing', repo, dependsOn: ['Two'] },
      { prompt: 'First thing', repo },
      { prompt: 'Second thing', title: 'Two', repo, dependsOn: [2] },
    );
    const { code, stdout } = await my.run(['batch', '--json', path, '--concurrency', '2'], { env });
    expect(code).toBe(0);
    expect(last(stdout)).toEqual({ type: 'batch.completed', completed: 3, failed: 0 });
    const order = server.requests.map(({ body }) => /(First|Second|Third) thing/.exec(JSON.stringify(body.input))?.[1]);
    expect(order).toEqual(['First', 'Second', 'Third']);
    const ids = new Set(
      jsonLines(stdout)
        .slice(0, -1)
        .map((line) => line['task']),
    );
    expect(ids.size).toBe(3);
    expect(types(stdout).filter((type) => type === 'turn.completed')).toHaveLength(3);
  }, 60_000);

  test('what depends on a failed one isn’t started', async () => {
    const { env } = await model((request) => [JSON.stringify(request.input).includes('Bad') ? status(401) : say('Ok.')]);
    const { code, stdout } = await my.run(
      ['batch', '--json', file({ prompt: 'Bad', repo }, { prompt: 'After', repo, dependsOn: [1] }, { prompt: 'Good', repo })],
      { env },
    );
    expect(code).toBe(4);
    expect(last(stdout)).toEqual({ type: 'batch.completed', completed: 1, failed: 2 });
    expect(
      jsonLines(stdout).find((line) => line.type === 'turn.failed' && String(line['message']).includes('depends on line 1')),
    ).toBeDefined();
    expect(git(repo, 'branch', '--format=%(refname:short)')).not.toContain('after');
  }, 60_000);

  test.each([
    ['JSON', '{oops', 'Line 2: not JSON'],
    ['a repository', { prompt: 'x', repo: '/usr' }, 'Line 2: /usr is not in a git repository'],
    ['a base', { prompt: 'x', base: 'nowhere' }, 'Line 2: There is no branch nowhere'],
  ])('a line with no good %s: exit 2, named, nothing started', async (_name, line, words) => {
    const { server, env } = await model(() => [say('no')]);
    const { code, stdout, stderr } = await my.run(['batch', '--json', file({ prompt: 'Good' }, line)], { env, cwd: repo });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(words);
    expect(server.requests).toEqual([]);
    expect(git(repo, 'branch', '--format=%(refname:short)')).toBe('main\nside');
  });

  test('a task that can’t be made takes those before it back: nothing stays on the board', async () => {
    const { server, env } = await model(() => [say('no')]);
    git(repo, 'remote', 'add', 'origin', join(my.folder, 'gone'));
    git(repo, 'update-ref', 'refs/remotes/origin/main', 'main');
    const path = file({ prompt: 'Good', repo }, { prompt: 'Far', repo, base: 'origin/main' });
    const { code, stdout, stderr } = await my.run(['batch', '--json', path], { env });
    expect(code).not.toBe(0);
    expect({ stdout, stderr }).toMatchObject({ stdout: '', stderr: expect.stringContaining('could not be fetched') as string });
    expect(server.requests).toEqual([]);
    const db = new DatabaseSync(join(my.home, 'signalbox.db'));
    expect(db.prepare("SELECT count(*) AS n FROM doc WHERE kind = 'tasks'").get()).toEqual({ n: 0 });
    db.close();
  }, 60_000);
});
