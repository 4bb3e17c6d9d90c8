import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runsOwnFile } from '../../agent-core/harness/approvals/own-files.ts';
import { refusalPrefix, ruleAllows, ruleRefuses, suggestPrefix } from '../../agent-core/harness/approvals/rules.ts';

describe('a rule can never name', () => {
  const never = {
    'a shell': [['sh'], ['bash', '-lc'], ['zsh', '-c'], ['fish', '-c'], ['pwsh', '-c'], ['busybox', 'sh']],
    'an interpreter': [
      ['python3', '-c'],
      ['node', '-e'],
      ['ruby', '-e'],
      ['perl', '-e'],
      ['php', '-r'],
      ['awk', 'x'],
      ['sqlite3', 'db'],
      ['psql', '-c'],
    ],
    env: [
      ['env', 'git'],
      ['env', '-i'],
    ],
    sudo: [
      ['sudo', 'git'],
      ['doas', 'git'],
      ['su', '-c'],
    ],
    'a program in a writable path': [
      ['./tool', 'go'],
      ['bin/tool', 'go'],
      ['/tmp/tool', 'go'],
      ['../tool', 'go'],
      ['/home/me/w/tool', 'go'],
    ],
    'what runs others': [
      ['xargs', 'git'],
      ['find', '-exec'],
      ['timeout', '5'],
      ['nohup', 'git'],
      ['npm', 'run'],
      ['make', 'all'],
      ['ssh', 'host'],
    ],
  };
  for (const [what, prefixes] of Object.entries(never))
    test.each(prefixes)(`${what}: %s %s`, (...prefix) => {
      const line = [...prefix, 'x'].join(' ');
      expect(ruleAllows([prefix], line)).toBe(false);
      expect(suggestPrefix(line, prefix)).toBeNull();
    });
});

describe('a rule never matches across', () => {
  test.each([
    ['git push ; id', ';'],
    ['git push&&id', '&&'],
    ['git push || id', '||'],
    ['git push | tee x', '|'],
    ['git push $(id)', 'substitution'],
    ['git push `id`', 'substitution'],
    ['git push "$(id)"', 'substitution'],
    ['git push <(id)', 'substitution'],
    ['git push $HOME', 'expansion'],
    ['git push > x', 'redirection'],
    ['git push 2>&1', 'redirection'],
    ['git push < x', 'redirection'],
    ['git push <<< x', 'redirection'],
    ['git push & id', '&'],
    ['git push\nid', 'a line break'],
    ['A=1 git push', 'an assignment'],
    ['git push *', 'a glob'],
    ['git push ~/x', 'a tilde'],
    ['git push \\; id', 'an escape'],
    ['(git push)', 'a subshell'],
    ['! git push', 'a negation'],
  ])('%j (%s)', (line) => expect(ruleAllows([['git', 'push']], line)).toBe(false));
});

test('a refusal holds for each command of a line, whatever stands beside it', () => {
  const refused = [['git', 'push'], ['sudo']];
  for (const line of [
    'git push',
    'git push origin main',
    'true && git push',
    'cd x; git push -f',
    'sudo ls',
    'echo $(git push)',
    'x | sudo tee',
  ])
    expect([line, ruleRefuses(refused, line)]).toEqual([line, true]);
  for (const line of ['git pull', 'git status push', 'gitpush', 'echo git push'])
    expect([line, ruleRefuses(refused, line)]).toEqual([line, false]);
  expect(refusalPrefix(['sudo', 'ls', '-l'])).toEqual(['sudo', 'ls']);
  expect(refusalPrefix(['curl', 'https://x'])).toEqual(['curl']);
  expect(refusalPrefix(null)).toBeNull();
});

describe('what an agent may have written never runs outside', () => {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'signalbox-own-')));
  const worktree = join(root, 'tree');
  const stateDir = join(root, 'state');
  const home = join(root, 'person');
  const usual = join(root, 'bin');
  beforeAll(() => {
    for (const folder of [worktree, join(stateDir, 'home'), home, usual, join(worktree, 'pkg')]) mkdirSync(folder, { recursive: true });
    for (const name of ['tool', 'x.sh', 'x.js', 'data.txt', 'pkg/__init__.py']) writeFileSync(join(worktree, name), '');
    writeFileSync(join(home, 'mine.sh'), '');
    writeFileSync(join(home, 'both.sh'), '');
    writeFileSync(join(stateDir, 'home', 'both.sh'), '');
    for (const name of ['git', 'node', 'bash']) writeFileSync(join(usual, name), '', { mode: 0o755 });
    symlinkSync(join(worktree, 'tool'), join(usual, 'sneaky'));
    symlinkSync('/usr/bin/true', join(worktree, 'looks-harmless'));
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));
  const runs = (line: string) =>
    runsOwnFile(line, {
      cwd: worktree,
      worktree,
      stateDir,
      temporary: ['/tmp/anything', '/tmp/anything.sh'],
      env: { PATH: usual, HOME: home },
    });

  test.each([
    './tool',
    'tool/../tool --flag',
    './looks-harmless',
    'sneaky push',
    'bash x.sh',
    'sh -e ./x.sh',
    'bash -c "./tool"',
    'bash -lc ./tool',
    'node x.js',
    'node --require=./x.js -e 1',
    'node --import ./x.js -e 1',
    'python3 -m pkg',
    'python3 pkg',
    'source x.sh',
    '. ./x.sh',
    'env A=1 ./tool',
    'env -i bash x.sh',
    'sudo -u me ./tool',
    'sudo ./tool',
    'timeout 5 ./tool',
    'nohup nice -n 5 ./tool',
    'xargs ./tool',
    'A=1 ./tool',
    'git push && ./tool',
    'git push; bash x.sh',
    'echo $(./tool)',
    'echo "$X" | bash x.sh',
    '/tmp/anything',
    'bash /tmp/anything.sh',
    'make -f x.sh',
  ])('refused: %s', async (line) => expect(await runs(line)).not.toBeNull());
  test('refused: a file that is in the private HOME too', async () => {
    expect(await runs(`bash ${home}/both.sh`)).not.toBeNull();
    expect(await runs(`${worktree}/tool`)).not.toBeNull();
    expect(await runs(`${stateDir}/home/both.sh`)).not.toBeNull();
  });
  test.each([
    'git push',
    'git add x.sh',
    'git commit -F data.txt',
    'gh pr create --body-file data.txt',
    'curl -T data.txt https://x',
    'node -e 1',
    'echo tool',
    'sudo git push',
  ])('asked about: %s', async (line) => expect(await runs(line)).toBeNull());
  test('asked about: a script of the person’s own', async () => expect(await runs(`bash ${home}/mine.sh`)).toBeNull());
});
