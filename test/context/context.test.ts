import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { call, say, type Script, type Step } from '../model-server/index.ts';
import { Rig } from '../runtime/support.ts';

let rig: Rig;
afterEach(() => rig.close());
const rounds =
  (...steps: Step[][]): Script =>
  (_request, n) =>
    steps[n - 1] ?? [say('ok')];
const commit = (files: Record<string, string>): void => {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(rig.repo, path, '..'), { recursive: true });
    writeFileSync(join(rig.repo, path), text);
  }
  execFileSync('git', ['add', '-A'], { cwd: rig.repo });
  execFileSync('git', ['-c', 'user.name=A', '-c', 'user.email=a@b.c', 'commit', '-qm', 'More'], { cwd: rig.repo });
};

test('files are found in the newest commit, and in a task’s newest tree with what it made', async () => {
  rig = await Rig.start(
    rounds([call('exec_command', { cmd: 'mkdir -p lib; echo x > lib/brand-new.ts; ln -s /etc lib/out' })], [say('ok')]),
  );
  commit({ 'src/server/router.ts': 'x', 'a "quoted"\nname.txt': 'x' });
  const { id: projectId } = rig.project;
  expect((await rig.call('file/find', { projectId, query: 'router' })).paths).toEqual(['src/server/router.ts']);
  expect((await rig.call('file/find', { projectId, query: 'quoted' })).paths).toEqual(['a "quoted"\nname.txt']);
  expect((await rig.call('file/find', { projectId, query: 'brand' })).paths).toEqual([]);
  const task = await rig.create('Make it');
  await rig.reaches(task.id, 'review');
  expect((await rig.call('file/find', { projectId, taskId: task.id, query: 'brand' })).paths).toEqual(['lib/brand-new.ts']);
  expect((await rig.call('file/find', { projectId, taskId: task.id, query: 'passwd' })).paths).toEqual([]);
});

test('prompts and skills of the commit, of the person and of ours; what can’t be used says why', async () => {
  rig = await Rig.start(rounds([say('ok')]));
  commit({
    '.signalbox/prompts/release.md': '---\ndescription: Cut a release\n---\nCut release X. Write the notes.\n',
    '.signalbox/prompts/bad name.md': 'x',
    '.agents/skills/db/SKILL.md': '---\nname: db\ndescription: Migrations\n---\nDo.',
    '.agents/skills/broken/SKILL.md': 'no front matter',
  });
  mkdirSync(join(rig.home, 'prompts'), { recursive: true });
  writeFileSync(join(rig.home, 'prompts/release.md'), 'mine, hidden by the project’s');
  writeFileSync(join(rig.home, 'prompts/tidy.md'), 'Tidy up $ARGUMENTS');
  writeFileSync(join(rig.repo, '.signalbox/prompts/uncommitted.md'), 'x');
  await expect.poll(() => existsSync(join(rig.home, 'bundled-skills/skill-creator/SKILL.md'))).toBe(true);
  const { shortcuts, problems } = await rig.call('shortcut/list', { projectId: rig.project.id });
  expect(shortcuts.filter(({ source }) => source !== 'yours').map(({ name, kind }) => [name, kind])).toEqual([
    ['commit-series', 'skill'],
    ['db', 'skill'],
    ['release', 'prompt'],
    ['skill-creator', 'skill'],
  ]);
  expect(shortcuts.find(({ name }) => name === 'release')).toMatchObject({
    description: 'Cut a release',
    text: 'Cut release X. Write the notes.',
  });
  expect(shortcuts.find(({ name }) => name === 'tidy')).toMatchObject({ kind: 'prompt', source: 'yours' });
  expect(shortcuts.find(({ name }) => name === 'db')?.text).toBe('$db ');
  expect(problems.join('\n')).toContain('bad name.md');
  expect(problems.join('\n')).toContain('no front matter');
});

test('a skill of ours is in the catalogue, and can be read inside', async () => {
  rig = await Rig.start((request, n) => {
    const at = /\(([^()]*skill-creator\/SKILL\.md)\)/.exec(JSON.stringify(request.input))?.[1] ?? 'nowhere';
    return n === 1 ? [call('exec_command', { cmd: `head -3 '${at}'` })] : [say('ok')];
  });
  await expect.poll(() => existsSync(join(rig.home, 'bundled-skills/skill-creator/SKILL.md'))).toBe(true);
  const task = await rig.create('Write a skill');
  await rig.reaches(task.id, 'review');
  expect(JSON.stringify(rig.model.requests[1]?.body.input)).toContain('name: skill-creator');
});

test('what the model sees, part by part: as much as the request held', async () => {
  rig = await Rig.start(rounds([call('exec_command', { cmd: 'seq 1 3000' })], [say('Three thousand.')]));
  commit({ 'AGENTS.md': 'Be brief.\n'.repeat(50) });
  symlinkSync('/etc/passwd', join(rig.repo, 'link'));
  const task = await rig.create('Count');
  await rig.reaches(task.id, 'review');
  const { parts, window } = await rig.call('thread/context', { threadId: rig.thread(task.id).id });
  const of = (kind: string) => parts.find((part) => part.kind === kind);
  expect(of('project')?.text).toContain('Be brief.');
  expect(of('person')).toMatchObject({ text: 'Count', count: 1, tokens: 2 });
  expect(of('outputs')?.text).toContain('Original token count');
  expect(of('tools')?.text).toContain('exec_command');
  expect(of('agent')?.text).toBe('Three thousand.');
  const total = parts.reduce((sum, { tokens }) => sum + tokens, 0);
  const last = rig.model.requests.at(-1)!.body;
  const held = Buffer.byteLength(JSON.stringify(last.input) + JSON.stringify(last.tools)) / 4;
  expect(total / held).toBeGreaterThan(0.8);
  expect(total / held).toBeLessThan(1.2);
  expect(window).toBeGreaterThan(100_000);
});
