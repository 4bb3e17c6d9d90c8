import { createServer } from 'node:net';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openMachine, POLICY, shell, temporary, watch } from './helpers.ts';

describe('files', () => {
  test('the person’s HOME, keys and host sockets are absent', async () => {
    const { machine } = await openMachine();
    const { out } = await shell(
      machine,
      'for p in ~/.ssh ~/.gnupg ~/.aws ~/.netrc ~/.config ~/.npmrc ~/.bashrc ~/.cargo/credentials.toml /run /var/run /var/lib /sys/kernel /sys/class /sys/fs /sys/block /sys/bus /root/.ssh /home/*/.ssh /etc/shadow /etc/sudoers /etc/ssh /etc/machine-id; do test -e "$p" && echo "$p"; done',
    );
    expect(out).toBe('');
  });

  test('nothing outside the worktree can be written', async () => {
    const { machine, base } = await openMachine();
    const outside = join(base, 'outside');
    mkdirSync(outside);
    await shell(
      machine,
      `echo x > '${outside}/a'; echo x > '${base}/b'; echo x > /usr/canary; echo x > /etc/canary; echo x > /canary; mkdir -p '${base}/made'; true`,
    );
    expect(
      [join(outside, 'a'), join(base, 'b'), '/usr/canary', '/etc/canary', '/canary', join(base, 'made')].filter((path) => existsSync(path)),
    ).toEqual([]);
  });

  test('a sibling’s worktree and state can’t be seen, nor its processes', async () => {
    const one = await openMachine();
    const two = await openMachine();
    writeFileSync(join(one.worktree, 'secret'), 's');
    const long = await one.machine.run({ argv: ['sleep', '3600.25'] });
    const seen = await shell(
      two.machine,
      `test -e '${one.worktree}' && echo file; ps ax | grep -c '[s]leep 3600.25'; ls /proc | grep -c '^[0-9]'`,
    );
    expect(seen.out.split('\n')[0]).toBe('0');
    expect(Number(seen.out.split('\n')[1])).toBeLessThan(8);
    await long.kill('kill');
  });

  test('a symlink in the worktree leads nowhere outside', async () => {
    const { machine, worktree, base } = await openMachine();
    writeFileSync(join(base, 'secret'), 'secret');
    symlinkSync(join(base, 'secret'), join(worktree, 'link'));
    symlinkSync(base, join(worktree, 'dir'));
    const { out } = await shell(machine, 'cat link dir/secret; echo x > dir/new; ls dir');
    expect(out).not.toContain('secret');
    expect(existsSync(join(base, 'new'))).toBe(false);
  });

  test('read-only mode and read access: the worktree and its binds can’t be written', async () => {
    const bound = temporary();
    const { machine, worktree } = await openMachine({ binds: [{ source: bound, target: bound, access: 'write' }] });
    expect((await shell(machine, `echo x > a && echo x > '${bound}/a'`)).code).toBe(0);
    expect((await shell(machine, 'echo x > b', { access: 'read' })).code).not.toBe(0);
    expect((await shell(machine, `echo x > '${bound}/b'`, { access: 'read' })).code).not.toBe(0);
    machine.setPolicy({ ...machine.spec.policy, mode: 'read-only' });
    expect((await shell(machine, 'echo x > c')).code).not.toBe(0);
    expect(existsSync(join(worktree, 'b')) || existsSync(join(worktree, 'c')) || existsSync(join(bound, 'b'))).toBe(false);
  });

  test('no ghost files appear in the worktree', async () => {
    const { machine } = await openMachine();
    expect((await shell(machine, 'ls -A')).out).toBe('');
  });
});

describe('network', () => {
  test('the host’s loopback, path and abstract sockets can’t be reached, nor any other address', async () => {
    const { machine, base } = await openMachine();
    const servers = [createServer(), createServer(), createServer()];
    onTestFinished(() => {
      for (const server of servers) server.close();
    });
    const listening = (at: { port: number; host: string } | string, server = servers.pop() ?? createServer()) =>
      new Promise<number>((resolve) => {
        server.listen(at, () => {
          const address = server.address();
          resolve(typeof address === 'object' && address ? address.port : 0);
        });
      });
    const port = await listening({ port: 0, host: '127.0.0.1' });
    await listening(join(base, 'sock'));
    await listening(`\0signalbox-test-${process.pid}`);
    const perl = `use Socket; socket(S,1,1,0) or exit 3; exit(connect(S, pack("S a*",1,$ARGV[0])) ? 0 : 1)`;
    const { out } = await shell(
      machine,
      [
        `(exec 3<>/dev/tcp/127.0.0.1/${port}) 2>/dev/null && echo tcp`,
        `(exec 3<>/dev/tcp/1.1.1.1/53) 2>/dev/null && echo far`,
        `perl -e '${perl}' '${base}/sock' && echo path`,
        `perl -e '${perl.replace('$ARGV[0]', `"\\0signalbox-test-${process.pid}"`)}' && echo abstract`,
        'grep -v -e "|" -e " lo:" /proc/net/dev',
        'true',
      ].join('\n'),
    );
    expect(out).toBe('');
  });
});

describe('rights', () => {
  test('no capabilities, no new privileges, a filter, nothing to gain by unshare or mount', async () => {
    const { machine } = await openMachine();
    const { out } = await shell(
      machine,
      'grep -E "^(CapInh|CapPrm|CapEff|CapAmb|NoNewPrivs|Seccomp):" /proc/self/status | tr -d "\\t"; unshare -U true 2>/dev/null && echo userns; unshare -n true 2>/dev/null && echo netns; mount -t tmpfs x /tmp 2>/dev/null && echo mount; nsenter -t 1 -a true 2>/dev/null && echo nsenter',
    );
    expect(out.split('\n')).toEqual([
      'CapInh:0000000000000000',
      'CapPrm:0000000000000000',
      'CapEff:0000000000000000',
      'CapAmb:0000000000000000',
      'NoNewPrivs:1',
      'Seccomp:2',
    ]);
  });

  test('nothing in /proc/sys or /sys can be written, as whoever this test runs', async () => {
    const { machine } = await openMachine();
    const { out } = await shell(
      machine,
      'find /proc/sys /sys -writable 2>/dev/null | head; for f in /proc/*; do case $f in /proc/[0-9]*|/proc/self|/proc/thread-self|/proc/net|/proc/mounts) ;; *) test -w $f && echo $f;; esac; done; (echo "|/bin/true" > /proc/sys/kernel/core_pattern) 2>/dev/null && echo pattern; (echo b > /proc/sysrq-trigger) 2>/dev/null && echo sysrq',
    );
    expect(out).toBe('');
  });

  test('process 1 shows neither its environment, its root, nor its memory; no other process is the host’s', async () => {
    const { machine } = await openMachine();
    const { out } = await shell(
      machine,
      'cat /proc/1/environ 2>/dev/null; ls /proc/1/root/ 2>/dev/null; ls -l /proc/1/cwd/ 2>/dev/null; cat /proc/1/maps 2>/dev/null; ls /proc/1/fd 2>/dev/null; cat /proc/1/comm',
    );
    expect(out.split('\n')).toEqual(['0', '1', '2', 'cat']);
  });

  test('the environment holds only what was allowed', async () => {
    process.env['OPENAI_API_KEY'] = 'sk-secret';
    process.env['SSH_AUTH_SOCK'] = '/tmp/agent';
    onTestFinished(() => {
      delete process.env['OPENAI_API_KEY'];
      delete process.env['SSH_AUTH_SOCK'];
    });
    const { machine } = await openMachine({ env: { GIT_AUTHOR_NAME: 'A' } });
    const { out } = await shell(machine, 'env; cat /proc/*/environ 2>/dev/null | tr "\\0" "\\n"');
    expect(out).toContain('GIT_AUTHOR_NAME=A');
    expect(out).not.toMatch(/sk-secret|SSH_AUTH_SOCK|npm_|VITEST|NODE_OPTIONS|SIGNALBOX/);
  });

  test('names that steer the loader reach the command and not its launcher', async () => {
    const { machine, worktree } = await openMachine();
    const child = await machine.run({ argv: ['sh', '-c', 'echo $LD_PRELOAD; sleep 3600'], env: { LD_PRELOAD: join(worktree, 'evil.so') } });
    const launcher = readFileSync(`/proc/${child.pid}/environ`, 'utf8');
    expect(launcher).not.toContain('evil.so');
    await child.kill('kill');
  });

  test('the process limit bites, for root too', async () => {
    const { machine } = await openMachine({ policy: { ...POLICY, limits: { ...POLICY.limits, processes: 50 } } });
    const bomb = await machine.run({
      argv: [
        'perl',
        '-e',
        'for (1..2000) { my $p = fork; if (!defined $p) { print "refused after $_\n"; exit } if (!$p) { close STDOUT; close STDERR; sleep 3600; exit } } print "no limit\n"',
      ],
    });
    const told = watch(bomb);
    await bomb.exited;
    expect(told.text()).toMatch(/^refused after/);
    expect(Number(/\d+/.exec(told.text())?.[0])).toBeLessThan(360);
  });

  test('the memory and file size limits bite; no core is dumped', async () => {
    const { machine, worktree } = await openMachine({
      policy: { ...POLICY, limits: { processes: 300, memoryBytes: 256 * 1024 ** 2, fileBytes: 4096 * 4 } },
    });
    await shell(machine, 'head -c 1000000 /dev/zero > big');
    expect(readFileSync(join(worktree, 'big')).length).toBe(4096 * 4);
    const hog = await machine.collect({ argv: ['perl', '-e', 'my $x = "a" x (900 * 1024 * 1024); sleep 3600'] });
    expect(hog).toMatchObject({ code: 137, limit: { what: 'memory' } });
    expect((await shell(machine, 'ulimit -c')).out).toBe('0');
  });
});

test('no descriptor of ours goes in, whatever the parent left open', async () => {
  const folder = temporary();
  mkdirSync(join(folder, 'worktree'));
  const script = join(folder, 'core.mjs');
  writeFileSync(
    script,
    `
    import { createSandbox } from ${JSON.stringify(join(import.meta.dirname, '../../agent-core/sandbox/index.ts'))};
    const policy = { mode: 'workspace', network: { allow: [] }, limits: { processes: 300, memoryBytes: 2 ** 31, fileBytes: 2 ** 30 } };
    const machine = await createSandbox({ stateDir: '${folder}/sb', env: process.env }).driver(policy)
      .open({ id: 'fd', stateDir: '${folder}/state', worktree: '${folder}/worktree', binds: [], policy, env: {} });
    const list = ['ls', '-l', '/proc/self/fd'];
    const { stdout, stderr } = await machine.collect({ argv: list });
    let text = '';
    const pty = await machine.run({ argv: list, tty: { cols: 200, rows: 50 } });
    pty.onOutput((chunk) => { text += Buffer.from(chunk).toString(); });
    await pty.exited;
    console.log(JSON.stringify({ piped: stdout.toString() + stderr.toString(), pty: text }));
    await machine.dispose();
  `,
  );
  const stdio: ('ignore' | 'pipe' | 'inherit' | number)[] = Array.from({ length: 252 }, () => 'ignore' as const);
  stdio[1] = 'pipe';
  stdio[2] = 'inherit';
  const { openSync, closeSync } = await import('node:fs');
  const secret = openSync(homedir(), 'r');
  for (const descriptor of [7, 50, 251]) stdio[descriptor] = secret;
  const child = spawn(process.execPath, [script], { stdio });
  closeSync(secret);
  let told = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    told += chunk.toString();
  });
  expect(await new Promise((resolve) => child.once('close', resolve))).toBe(0);
  const { piped, pty } = JSON.parse(told) as { piped: string; pty: string };
  for (const text of [piped, pty])
    expect(
      [...text.matchAll(/(\d+) -> (?!\/proc\/)/g)].map((found) => found[1]),
      text,
    ).toEqual(['0', '1', '2']);
  rmSync(script);
});
