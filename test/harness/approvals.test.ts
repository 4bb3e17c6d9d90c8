import { readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ruleAllows, suggestPrefix } from '../../agent-core/harness/index.ts';
import { knownSafe } from '../../agent-core/harness/approvals/safe.ts';
import { plainWords, splitPlain } from '../../agent-core/harness/approvals/words.ts';
import { call, customCall, lastOutput, say } from '../model-server/index.ts';
import { rig } from './support/rig.ts';

describe('plain words', () => {
  test('are read as the shell would', () => {
    expect(plainWords('git push origin main')).toEqual(['git', 'push', 'origin', 'main']);
    expect(plainWords(' git  commit -m "two words" \'and $this\' --x=y ')).toEqual([
      'git',
      'commit',
      '-m',
      'two words',
      'and $this',
      '--x=y',
    ]);
    expect(plainWords('a""b \'\'')).toEqual(['ab', '']);
    expect(splitPlain('ls && cat a | wc -l; pwd || true')).toEqual([['ls'], ['cat', 'a'], ['wc', '-l'], ['pwd'], ['true']]);
  });
  for (const line of [
    '',
    'echo $HOME',
    'echo `id`',
    'echo $(id)',
    'ls > x',
    'ls < x',
    'ls &',
    'ls & rm x',
    'ls |& cat',
    'FOO=1 ls',
    'ls *',
    'ls ~',
    'ls {a,b}',
    'ls [ab]',
    'echo "a$b"',
    'echo "a\\"b"',
    'ls \\\n x',
    'ls\nrm x',
    'ls # x',
    "echo 'open",
    '(ls)',
    '! ls',
    'ls;;ls',
    '&& ls',
    'ls &&',
    'ls |',
    'echo a\\ b',
    'ls \u00a0x',
    'ls\r\nx',
  ]) {
    test(`not: ${JSON.stringify(line)}`, () => expect(splitPlain(line)).toBeNull());
  }
  for (const line of ['ls && ls', 'ls; ls', 'ls | cat', 'ls || ls', 'ls;'])
    test(`not one command: ${line}`, () => expect(plainWords(line)).toBeNull());
});

describe('rules', () => {
  test('match by first words', () => {
    expect(ruleAllows([['git', 'push']], 'git push origin main')).toBe(true);
    expect(ruleAllows([['git', 'push']], ['git', 'push'])).toBe(true);
    expect(ruleAllows([['git', 'push']], 'git pull')).toBe(false);
    expect(ruleAllows([['git', 'push', 'origin']], 'git push')).toBe(false);
    expect(ruleAllows([['gh', 'pr']], 'ghx pr')).toBe(false);
    expect(ruleAllows([], 'git push')).toBe(false);
  });
  for (const line of [
    'git push; id',
    'git push && id',
    'git push | sh',
    'git push > x',
    'git push $(id)',
    'git push `id`',
    'git push\nid',
    'git push & id',
    'X=1 git push',
    'git push --receive-pack=./evil origin',
    'git push --exec ./evil',
    'git push ext::sh origin',
  ]) {
    test(`a rule for "git push" does not let through ${JSON.stringify(line)}`, () =>
      expect(ruleAllows([['git', 'push']], line)).toBe(false));
  }
  for (const prefix of [
    ['bash'],
    ['sh', '-c'],
    ['python3'],
    ['python3.12', '-m'],
    ['node'],
    ['env'],
    ['sudo', 'git'],
    ['xargs'],
    ['find'],
    ['npm', 'run'],
    ['npx'],
    ['make'],
    ['cargo', 'test'],
    ['rm'],
    ['git'],
    ['git', '-c'],
    ['./script'],
    ['/usr/bin/git', 'push'],
    ['scripts/deploy'],
    ['eval'],
    ['.'],
    ['ssh'],
    ['docker', 'run'],
    ['timeout'],
  ]) {
    test(`nothing may be remembered about ${JSON.stringify(prefix)}`, () => {
      expect(ruleAllows([prefix], [...prefix, 'x'])).toBe(false);
      expect(suggestPrefix([...prefix, 'x'].join(' '), prefix)).toBeNull();
    });
  }
  test('a prefix is proposed from what the model proposes, or from the program and its verb', () => {
    expect(suggestPrefix('git push origin main', ['git', 'push'])).toEqual(['git', 'push']);
    expect(suggestPrefix('git push origin main', ['git', 'fetch'])).toEqual(['git', 'push']);
    expect(suggestPrefix('git push origin main', ['git'])).toEqual(['git', 'push']);
    expect(suggestPrefix('gh pr create --fill')).toEqual(['gh', 'pr']);
    // A program alone, with options or without, would stand for every address and every file.
    expect(suggestPrefix('curl https://example.com/x', ['curl'])).toEqual(['curl', 'https://example.com/x']);
    expect(suggestPrefix('curl -s https://example.com/x', ['curl', '-s'])).toEqual(['curl', '-s', 'https://example.com/x']);
    expect(suggestPrefix('cat /etc/hostname')).toEqual(['cat', '/etc/hostname']);
    expect(suggestPrefix('git push && id', ['git', 'push'])).toBeNull();
  });
});

describe('known-safe commands', () => {
  for (const line of [
    'ls -la',
    'cat a b',
    'git status',
    'git log --oneline',
    'git branch -a',
    'rg x',
    'find . -name x',
    'sed -n 1,20p a',
    'cat a | head -3 && pwd',
  ])
    test(line, () => expect(knownSafe(line)).toBe(true));
  for (const line of [
    'rm x',
    'ls > x',
    'find . -delete',
    'find . -exec rm x',
    'rg --pre sh x',
    'sed -i s/a/b/ x',
    'sed -n 1,20w x',
    'git push',
    'git branch -D x',
    'git diff --output=x',
    'git -c a=b log',
    'base64 -o x y',
    'cat a; rm a',
    'node -v',
    'echo $(rm x)',
  ]) {
    test(`not: ${line}`, () => expect(knownSafe(line)).toBe(false));
  }
});

describe('gates', () => {
  const escalate = call('exec_command', {
    cmd: 'gh pr create',
    sandbox_permissions: 'require_escalated',
    justification: 'May I open the pull request?',
    prefix_rule: ['gh', 'pr'],
  });

  test('an escalation asks with the exact command, the reason and what may be remembered; yes runs it outside', async () => {
    const t = await rig([[escalate], [say('ok')]], {
      host: { runOutside: (request) => t.machine.run({ ...request, argv: ['/bin/sh', '-c', 'echo ran outside'] }) },
    });
    t.answers(() => ({ decision: 'approved', scope: 'once', note: '' }));
    await t.turn('go');
    expect(t.asked).toEqual([
      {
        itemId: t.items('command')[0]!.id,
        callId: expect.any(String) as string,
        kind: 'escalate',
        subject: 'gh pr create',
        argv: ['gh', 'pr', 'create'],
        cwd: t.worktree,
        reason: 'May I open the pull request?',
        effect: expect.stringContaining('outside the sandbox'),
        prefix: ['gh', 'pr'],
      },
    ]);
    expect(lastOutput(t.server.requests[1]!.body)).toContain('ran outside');
    expect(t.items('command')).toMatchObject([{ outside: true, status: 'completed' }]);
  });

  test('what is typed into a command outside is asked for too', async () => {
    const t = await rig(
      (request, n) =>
        n === 1
          ? [call('exec_command', { cmd: 'cat', tty: true, yield_time_ms: 250, sandbox_permissions: 'require_escalated' })]
          : n === 2
            ? [call('write_stdin', { session_id: Number(/ID (\d{5})/.exec(lastOutput(request))![1]), chars: 'rm -rf ~\n' })]
            : [say('ok')],
      { host: { runOutside: (request) => t.machine.run(request) } },
    );
    t.answers(({ subject }) => ({ decision: subject === 'cat' ? 'approved' : 'declined', scope: 'once', note: 'never that' }));
    await t.turn('go');
    expect(t.asked.map(({ subject, reason }) => [subject, reason])).toEqual([
      ['cat', ''],
      ['rm -rf ~\n', 'To be typed into: cat'],
    ]);
    expect(lastOutput(t.server.requests[2]!.body)).toBe('write_stdin failed: rejected by user: never that');
  });

  test('a folder that is a link out of the worktree is no place to run outside in', async () => {
    const t = await rig(
      [[call('exec_command', { cmd: 'git push', workdir: 'link', sandbox_permissions: 'require_escalated' })], [say('ok')]],
      {
        host: {
          runOutside: () => {
            throw new Error('ran');
          },
        },
      },
    );
    await symlink('/', join(t.worktree, 'link'));
    t.answers(() => ({ decision: 'approved', scope: 'once', note: '' }));
    expect(await t.turn('go')).toMatchObject({ status: 'completed' });
    expect(lastOutput(t.server.requests[1]!.body)).toMatch(/leads out of the worktree/);
  });

  test("no, with the person's words, goes to the model", async () => {
    const t = await rig([[escalate], [escalate], [say('ok')]]);
    await t.turn('go');
    expect(lastOutput(t.server.requests[1]!.body)).toBe(
      'exec_command failed: CreateProcess { message: "Rejected(\\"rejected by user\\")" }',
    );
    t.answers(() => ({ decision: 'declined', scope: 'once', note: 'use the "other" remote' }));
    await t.turn('again', {});
    expect(lastOutput(t.server.requests[2]!.body)).toContain('rejected by user');
    expect(t.items('command')[0]).toMatchObject({ status: 'declined', exitCode: null });
  });

  test('a saved rule runs it outside without asking, as the very words and not by a shell', async () => {
    const outside: string[][] = [];
    const t = await rig([[escalate], [say('ok')]], {
      host: {
        runOutside: (request) => {
          outside.push(request.argv);
          return t.machine.run({ ...request, argv: ['true'] });
        },
      },
    });
    t.prefixes.push(['gh', 'pr']);
    await t.turn('go', { approval: 'never' });
    expect(outside).toEqual([['gh', 'pr', 'create']]);
    expect(t.asked).toEqual([]);
  });

  test('with nobody to ask it is declined with the reason', async () => {
    const t = await rig([[escalate], [say('ok')]]);
    await t.turn('go', { approval: 'never' });
    expect(t.asked).toEqual([]);
    expect(lastOutput(t.server.requests[1]!.body)).toMatch(/nobody is there to ask \(approval policy: never\)/);
  });

  test('untrusted asks for all but known-safe commands and for patches; ask mode for everything', async () => {
    const steps = [
      call('exec_command', { cmd: 'ls' }),
      call('exec_command', { cmd: 'touch x' }),
      customCall('apply_patch', '*** Begin Patch\n*** Add File: y\n+y\n*** Add File: z\n+z\n*** End Patch'),
    ];
    const t = await rig([steps, [say('ok')], steps, [say('ok')]]);
    await t.turn('go', { approval: 'untrusted' });
    expect(t.asked.map(({ kind, subject, prefix }) => [kind, subject, prefix])).toEqual([
      ['command', 'touch x', null],
      ['patch', 'y\nz', null],
    ]);
    expect(lastOutput(t.server.requests[1]!.body)).toBe('patch rejected by user');
    expect(t.items('fileChange')).toMatchObject([{ status: 'declined', changes: [{ path: 'y', kind: 'add', added: 1 }, { path: 'z' }] }]);
    await t.turn('go', { mode: 'ask' });
    expect(t.asked.slice(2).map(({ subject }) => subject)).toEqual(['ls', 'touch x', 'y\nz']);
    await expect(readFile(join(t.worktree, 'y'))).rejects.toThrow();
  });

  test('read-only runs commands with read access and takes no patch', async () => {
    const t = await rig([
      [call('exec_command', { cmd: 'cat a' }), customCall('apply_patch', '*** Begin Patch\n*** Delete File: a\n*** End Patch')],
      [say('ok')],
    ]);
    await writeFile(join(t.worktree, 'a'), 'still here');
    await t.turn('go', { mode: 'read-only' });
    expect('ran' in t.machine && t.machine.ran).toMatchObject([{ access: 'read' }]);
    expect(lastOutput(t.server.requests[1]!.body)).toMatch(/^patch rejected: this task is read-only/);
    expect(await readFile(join(t.worktree, 'a'), 'utf8')).toBe('still here');
  });

  test('a stop while a person is asked leaves a valid history', async () => {
    const stop = new AbortController();
    const t = await rig([[escalate], [say('ok')]], {
      host: {
        approve: () =>
          new Promise((_resolve, reject) => {
            stop.signal.addEventListener('abort', () => reject(stop.signal.reason as Error));
            queueMicrotask(() => stop.abort());
          }),
      },
    });
    expect((await t.turn('go', { signal: stop.signal })).status).toBe('interrupted');
    expect(t.items('command')).toMatchObject([{ status: 'interrupted' }]);
    expect(await t.turn('go on')).toMatchObject({ status: 'completed' });
    expect(t.server.refused).toEqual([]);
  });
});
