import { existsSync, lstatSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { takeOut } from '../../agent-core/sandbox/door.ts';
import { createSandbox } from '../../agent-core/sandbox/index.ts';
import { Workspaces, type Aside, type OpenWorkspace } from '../../agent-core/workspace/index.ts';
import { runScript } from '../../agent-core/workspace/recipe/script.ts';
import { agent, git, put, World } from '../workspace/world.ts';

let world: World;
let told: Aside[];
let allowed: string[];
beforeEach(() => {
  told = [];
  allowed = [];
  world = new World('repo', {
    'README.md': '# Hello\n',
    '.vscode/settings.json': '{ "a": 1 }\n',
    '.husky/pre-commit': 'npm test\n',
    'packages/app/index.js': '1\n',
  });
  start();
});
afterEach(() => world.dispose());

function start(): void {
  const sandbox = createSandbox({ stateDir: join(world.home, 'sandbox'), env: { ...process.env, HOME: world.dir } });
  world.workspaces = new Workspaces({
    home: world.home,
    sandbox,
    worktreeRoot: () => join(world.home, 'worktrees'),
    onAside: async (_id, aside) => void told.push(aside),
    allowedFiles: () => allowed,
  });
}

const at = (workspace: OpenWorkspace, path: string): string => join(workspace.info.path, path);
const text = (workspace: OpenWorkspace, path: string): string => readFileSync(at(workspace, path), 'utf8');

test('what an agent plants for an editor, a shell, git or another agent is taken out and kept; the base’s version comes back', async () => {
  const workspace = await world.open();
  await agent(
    workspace,
    `echo evil > .vscode/settings.json; echo task > .vscode/tasks.json; echo run > .envrc; mkdir -p .claude .idea/runConfigurations
     echo x > .claude/settings.json; echo y > .idea/runConfigurations/a.xml; echo z > my.code-workspace; echo '#!/bin/sh' > .husky/post-checkout; chmod +x .husky/post-checkout
     echo m > mise.toml; mkdir .github; mkdir .github/hooks .github/workflows; echo h > .github/hooks/a.json; echo w > .github/workflows/ci.yml; echo fine > src.txt`,
  );
  const taken = await workspace.guardFiles('the command');
  expect(taken.map((aside) => aside.subject).toSorted()).toEqual([
    '.claude',
    '.envrc',
    '.github/hooks',
    '.husky/post-checkout',
    '.idea',
    '.vscode',
    'mise.toml',
    'my.code-workspace',
  ]);
  expect(taken.every((aside) => aside.command === 'the command')).toBe(true);
  expect(told.map((aside) => aside.id).toSorted()).toEqual(taken.map((aside) => aside.id).toSorted());
  expect(text(workspace, '.vscode/settings.json')).toBe('{ "a": 1 }\n');
  expect(await agent(workspace, 'git status --porcelain')).toBe('?? .github/\n?? src.txt');
  expect(text(workspace, '.github/workflows/ci.yml')).toBe('w\n');
  const vscode = taken.find((aside) => aside.subject === '.vscode')!;
  expect(vscode.replaced).toBe(true);
  expect(readFileSync(join(vscode.place, '.vscode/settings.json'), 'utf8')).toBe('evil\n');
  expect(readFileSync(join(vscode.place, '.vscode/tasks.json'), 'utf8')).toBe('task\n');
  expect(await workspace.guardFiles('another')).toEqual([]);
});

test('once lets in this very content and no other', async () => {
  const workspace = await world.open();
  await agent(
    workspace,
    'mkdir .claude; echo one > .claude/settings.json; echo "#!/bin/sh" > .husky/x; chmod +x .husky/x; ln -s ../README.md .claude/link',
  );
  const taken = await workspace.guardFiles();
  for (const { id } of taken) await workspace.guard.letIn(id, true);
  expect(text(workspace, '.claude/settings.json')).toBe('one\n');
  expect(lstatSync(at(workspace, '.claude/link')).isSymbolicLink()).toBe(true);
  expect(lstatSync(at(workspace, '.husky/x')).mode & 0o111).not.toBe(0);
  expect(await workspace.guardFiles('', true)).toEqual([]);
  await agent(workspace, 'echo two > .claude/settings.json');
  const [again] = await workspace.guardFiles();
  expect(again!.subject).toBe('.claude/settings.json');
  expect(existsSync(at(workspace, '.claude/settings.json'))).toBe(false);
  // Its mode is part of what it is.
  await agent(workspace, 'chmod +x .vscode/settings.json');
  expect((await workspace.guardFiles()).map((aside) => aside.subject)).toEqual(['.vscode/settings.json']);
});

test('a path that was allowed stays as the agent leaves it, until that is taken back', async () => {
  const workspace = await world.open();
  await agent(workspace, 'echo one > .envrc');
  const [aside] = await workspace.guardFiles();
  allowed = ['.envrc'];
  await workspace.guard.letIn(aside!.id, false);
  expect(text(workspace, '.envrc')).toBe('one\n');
  await agent(workspace, 'echo two > .envrc');
  expect(await workspace.guardFiles()).toEqual([]);
  allowed = [];
  expect((await workspace.guardFiles()).map((each) => each.subject)).toEqual(['.envrc']);
});

test('rebase and checkout over versions that the base had or has leave them in place', async () => {
  put(world.repo, { '.vscode/settings.json': '{ "a": 2 }\n', '.envrc': 'export A=1\n' });
  world.commit('second');
  git(world.repo, 'rm', '-q', '.envrc');
  world.commit('third');
  const workspace = await world.open();
  await agent(workspace, 'git checkout -q main~2 -- .vscode && git checkout -q main~1 -- .envrc');
  expect(await workspace.guardFiles()).toEqual([]);
  expect(text(workspace, '.vscode/settings.json')).toBe('{ "a": 1 }\n');
  await agent(workspace, 'git reset -q --hard; echo a > mine; git add mine; git commit -qm mine');
  put(world.repo, { '.vscode/settings.json': '{ "a": 3 }\n', '.vscode/tasks.json': '{}\n' });
  world.commit('the base moves on');
  await workspace.beginTurn();
  await agent(workspace, 'git rebase -q main');
  expect(await workspace.guardFiles()).toEqual([]);
  expect(text(workspace, '.vscode/tasks.json')).toBe('{}\n');
  // A commit of the agent’s own is no history of the base’s.
  await agent(
    workspace,
    'echo evil > .vscode/tasks.json; git commit -qam evil; echo x >> mine; git commit -qam more; git checkout -q HEAD~1',
  );
  expect((await workspace.guardFiles()).map((aside) => aside.subject)).toEqual(['.vscode/tasks.json']);
  expect(text(workspace, '.vscode/tasks.json')).toBe('{}\n');
});

test('what the person has in the own checkout, or commits on the branch, is theirs', async () => {
  put(world.repo, { '.envrc': 'mine\n' });
  const workspace = await world.open();
  await agent(workspace, 'echo mine > .envrc');
  expect(await workspace.guardFiles()).toEqual([]);
  // As with files that a recipe copied in, before the person changed their own.
  put(world.repo, { '.envrc': 'changed since\n' });
  expect(await workspace.guardFiles('', true)).toEqual([]);
  put(workspace.info.path, { '.mcp.json': '{}\n' });
  world.commit('by the person', workspace.info.path);
  await workspace.beginTurn();
  expect(await workspace.guardFiles('', true)).toEqual([]);
  expect(text(workspace, '.mcp.json')).toBe('{}\n');
});

test('links, swapped folders, huge folders, pipes, locked folders and odd names lead nowhere', async () => {
  const secret = join(world.dir, 'secret');
  mkdirSync(secret);
  writeFileSync(join(secret, 'key'), 'key\n');
  const workspace = await world.open();
  symlinkSync(secret, at(workspace, '.idea'));
  await agent(
    workspace,
    `rm -r .vscode && ln -s packages .vscode; mkfifo .envrc; mkdir .cursor && echo x > ".cursor/$(printf 'a\\nb')" && echo y > ".cursor/$(printf '\\377')"
     mkdir .zed && cd .zed && seq 1 3000 | xargs touch && cd .. && mkdir -p .claude/a && echo x > .claude/a/b && chmod 0 .claude/a && chmod 500 .claude
     echo x > "$(printf 'w\\nx.code-workspace')"; echo x > "$(printf '\\376.code-workspace')"; mkdir .gemini && ln -s /etc/passwd .gemini/settings.json`,
  );
  const taken = await workspace.guardFiles();
  expect(taken.map((aside) => aside.subject).toSorted()).toEqual(
    ['.claude', '.cursor', '.envrc', '.gemini', '.idea', '.vscode', '.zed', 'w\nx.code-workspace', '\ufffd.code-workspace'].toSorted(),
  );
  expect(readFileSync(join(secret, 'key'), 'utf8')).toBe('key\n');
  expect(lstatSync(at(workspace, '.vscode')).isDirectory()).toBe(true);
  expect(text(workspace, '.vscode/settings.json')).toBe('{ "a": 1 }\n');
  expect(readdirSync(workspace.info.path).toSorted()).toEqual(['.git', '.husky', '.vscode', 'README.md', 'packages']);
  const zed = taken.find((aside) => aside.subject === '.zed')!;
  expect(readdirSync(join(zed.place, '.zed'))).toHaveLength(3000);
  expect(zed.names).toBeNull();
  await expect(workspace.guard.letIn(zed.id, true)).rejects.toThrow('too large');
  await expect(takeOut(workspace.info.path, '.git', join(world.dir, 'x'))).rejects.toThrow('not to be moved');
  // All of it goes with the task, also what its agent locked.
  const { id } = workspace.info;
  await world.workspaces.trash(id);
  await world.workspaces.purge(id);
  expect(existsSync(join(world.home, 'workspaces', id))).toBe(false);
});

test('where a link of the base’s leads is guarded too', async () => {
  mkdirSync(join(world.repo, 'tools'));
  put(world.repo, { 'tools/mcp.json': '{}\n', 'AGENTS.md': 'words\n' });
  symlinkSync('tools/mcp.json', join(world.repo, '.mcp.json'));
  mkdirSync(join(world.repo, '.claude'));
  symlinkSync('../AGENTS.md', join(world.repo, '.claude/CLAUDE.md'));
  world.commit('links');
  const workspace = await world.open();
  await agent(workspace, 'echo evil > tools/mcp.json; echo more >> AGENTS.md; echo fine > tools/other');
  expect((await workspace.guardFiles()).map((aside) => aside.subject)).toEqual(['tools/mcp.json']);
  expect(text(workspace, 'tools/mcp.json')).toBe('{}\n');
  expect(text(workspace, 'AGENTS.md')).toBe('words\nmore\n');
});

test('the folders of a monorepo’s project are guarded, and the hooks folder that git is told of', async () => {
  git(world.repo, 'config', 'core.hooksPath', 'tools/hooks');
  const workspace = await world.open('In a part', { folder: join(world.repo, 'packages/app') });
  await agent(workspace, 'echo x > packages/app/.envrc; echo y > packages/.envrc; mkdir -p tools/hooks; echo h > tools/hooks/pre-push');
  expect((await workspace.guardFiles()).map((aside) => aside.subject).toSorted()).toEqual([
    'packages/.envrc',
    'packages/app/.envrc',
    'tools/hooks',
  ]);
});

test('the same content again is kept once and told once; a crash in between forgets nothing', async () => {
  const id = await world.prepare();
  const workspace = await world.workspaces.open(id);
  await agent(workspace, 'echo x > .envrc');
  await workspace.guardFiles();
  await agent(workspace, 'echo x > .envrc');
  expect(await workspace.guardFiles()).toHaveLength(1);
  expect(existsSync(at(workspace, '.envrc'))).toBe(false);
  expect(told).toHaveLength(1);
  expect(readdirSync(join(world.home, 'workspaces', id, 'aside'))).toHaveLength(1);
  await world.workspaces.dispose();
  const file = join(world.home, 'workspaces', id, 'guard.json');
  const record = JSON.parse(readFileSync(file, 'utf8')) as { asides: { told: boolean; names: unknown }[] };
  Object.assign(record.asides[0]!, { told: false, names: null });
  writeFileSync(file, JSON.stringify(record));
  start();
  const again = await world.workspaces.open(id);
  await again.guardFiles();
  expect(told).toHaveLength(2);
  await again.guard.letIn(told[1]!.id, true);
  expect(text(again, '.envrc')).toBe('x\n');
});

test('content that changed behind the person’s back is not let in', async () => {
  const workspace = await world.open();
  await agent(workspace, 'mkdir .claude; echo one > .claude/settings.json');
  const [aside] = await workspace.guardFiles();
  writeFileSync(join(aside!.place, '.claude/settings.json'), 'two\n');
  await expect(workspace.guard.letIn(aside!.id, true)).rejects.toThrow('has changed');
  expect(existsSync(at(workspace, '.claude'))).toBe(false);
});

test('a checkpoint and a landing never hold what was not let in, and the landing says what of the kind it brings', async () => {
  const workspace = await world.open();
  await agent(
    workspace,
    'echo evil > .envrc; mkdir -p deep/.vscode; echo d > deep/.vscode/tasks.json; echo w > work; git add -A; git commit -qm all',
  );
  const preview = await workspace.landPreview();
  expect(preview.hostRun?.map(({ path }) => path)).toEqual(['.envrc', 'deep/.vscode/tasks.json']);
  const { commit } = await workspace.land('squash');
  expect(git(world.repo, 'ls-tree', '-r', '--name-only', commit).split('\n')).toEqual([
    '.husky/pre-commit',
    '.vscode/settings.json',
    'README.md',
    'deep/.vscode/tasks.json',
    'packages/app/index.js',
    'work',
  ]);
});

test('in the person’s own checkout their files stay; with full access all do', async () => {
  put(world.repo, { '.envrc': 'mine\n' });
  const workspace = await world.open('In place', { inPlace: true });
  await agent(workspace, 'echo other > .mcp.json');
  expect((await workspace.guardFiles()).map((aside) => aside.subject)).toEqual(['.mcp.json']);
  expect(text(workspace, '.envrc')).toBe('mine\n');
  await agent(workspace, 'echo changed > .envrc');
  expect((await workspace.guardFiles()).map((aside) => aside.subject)).toEqual(['.envrc']);
  const free = await world.open('Free', { mode: 'full' });
  await agent(free, 'echo x > .mcp.json');
  expect(await free.guardFiles()).toEqual([]);
  rmSync(join(world.repo, '.envrc'), { force: true });
});

test('a folder that became a link to somewhere else neither hides what lies behind it nor ends the looking', async () => {
  const elsewhere = join(world.dir, 'elsewhere');
  put(elsewhere, { 'hooks/a.json': 'h\n', '.envrc': 'x\n' });
  const workspace = await world.open();
  await agent(workspace, `ln -s ${elsewhere} .github; echo evil > .vscode/tasks.json`);
  const taken = await workspace.guardFiles();
  expect(taken.map((aside) => aside.subject).toSorted()).toEqual(['.github', '.vscode/tasks.json']);
  expect(told).toHaveLength(2);
  expect(readdirSync(elsewhere).toSorted()).toEqual(['.envrc', 'hooks']);
  await workspace.harvest();
});

test('many that nobody let in hide none of the others', async () => {
  const workspace = await world.open();
  await agent(workspace, 'mkdir .claude; echo x > .claude/settings.json; for n in $(seq 700); do echo $n > "!$n.code-workspace"; done');
  await workspace.guardFiles();
  expect(readdirSync(workspace.info.path).filter((name) => name.endsWith('.code-workspace') || name === '.claude')).toEqual([]);
  expect(told.length).toBeLessThan(100);
}, 60_000);

test('a landing names hooks of a folder that git is told of', async () => {
  git(world.repo, 'config', 'core.hooksPath', 'tools/hooks');
  const workspace = await world.open();
  await agent(
    workspace,
    'mkdir -p tools/hooks; echo h > tools/hooks/pre-push; git add tools; git -c user.name=a -c user.email=a@b commit -qm x',
  );
  expect((await workspace.landPreview()).hostRun).toEqual([{ path: 'tools/hooks/pre-push', why: 'git runs the hooks in it' }]);
});

test('a mode that was chosen while the setup script ran holds after it', async () => {
  const workspace = await world.open();
  const running = runScript(workspace.confined, {
    what: 'setup',
    script: 'while ! [ -e go ]; do sleep 0.05; done',
    cwd: workspace.cwd,
    env: {},
    limitMs: 20_000,
    signal: new AbortController().signal,
    onOutput: () => {},
    modeAfter: () => workspace.info.mode,
  });
  await workspace.setPolicy('read-only');
  writeFileSync(at(workspace, 'go'), '');
  expect((await running).failure).toBeNull();
  expect(workspace.confined.spec.policy.mode).toBe('read-only');
});

test('a repository that an agent made where the project’s folder is does not stay: git outside would run what it names', async () => {
  const workspace = await world.open('In a part', { folder: join(world.repo, 'packages/app') });
  await agent(workspace, 'cd packages/app && git init -q . && git config core.fsmonitor /tmp/evil');
  const [taken] = await workspace.guardFiles();
  expect(taken!.subject).toBe('packages/app/.git');
  expect(readdirSync(at(workspace, 'packages/app'))).toEqual(['index.js']);
  await agent(workspace, 'git init -q --bare bare && mv bare/* packages/app/ && git -C packages/app config core.fsmonitor /tmp/evil');
  expect((await workspace.guardFiles()).map((aside) => aside.subject)).toEqual(['packages/app/HEAD']);
});

test('a file that is changed through a mapping, which shows no new time, is found all the same', async () => {
  const workspace = await world.open();
  const script = `import mmap, os, time
f = open('.vscode/settings.json', 'r+b')
m = mmap.mmap(f.fileno(), 0)
m[0:1] = b'{'
open('dirty', 'w')
while not os.path.exists('go'): time.sleep(0.02)
m[2:5] = b'"b"'
open('done', 'w')
time.sleep(60)`;
  await workspace.machine.run({ argv: ['python3', '-c', script] });
  await expect.poll(() => existsSync(at(workspace, 'dirty')), { timeout: 20_000 }).toBe(true);
  // Long enough for the time of the last change to be no news any more.
  const changed = lstatSync(at(workspace, '.vscode/settings.json')).ctimeMs;
  await expect.poll(() => Date.now() - changed).toBeGreaterThan(200);
  expect(await workspace.guardFiles()).toEqual([]);
  writeFileSync(at(workspace, 'go'), '');
  await expect.poll(() => existsSync(at(workspace, 'done')), { timeout: 20_000 }).toBe(true);
  expect((await workspace.guardFiles()).map((aside) => aside.subject)).toEqual(['.vscode/settings.json']);
});
