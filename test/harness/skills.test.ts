import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { frontMatter } from '../../agent-core/harness/context/front-matter.ts';
import { catalogue, findSkills, mentioned } from '../../agent-core/harness/context/skills.ts';
import type { TurnInput } from '../../agent-core/harness/index.ts';
import { call, lastOutput, say, textOf } from '../model-server/index.ts';
import { plainMachine } from './support/plain-machine.ts';
import { rig, tempDir } from './support/rig.ts';

const skill = (name: string, description = `Does ${name}.`): string =>
  `---\nname: ${name}\ndescription: ${description}\n---\n\n# ${name}\nDo it well.\n`;

async function files(root: string, all: Record<string, string>): Promise<void> {
  for (const [path, text] of Object.entries(all)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
}

/** A worktree, a person's HOME and a SIGNALBOX_HOME with these files. */
async function place(all: { worktree?: Record<string, string>; person?: Record<string, string>; home?: Record<string, string> }) {
  const [root, personHome, home] = [await tempDir(), await tempDir(), await tempDir()];
  await files(root, { '.git': 'gitdir: elsewhere', ...all.worktree });
  await files(personHome, all.person ?? {});
  await files(home, all.home ?? {});
  const find = (more: Partial<TurnInput> = {}) =>
    findSkills({ machine: plainMachine(root), cwd: root, home, personHome, mode: 'workspace', ...more } as TurnInput);
  return { root, personHome, home, find };
}

describe('finding', () => {
  test('the nearest counts: from the working folder up to the root, then the person, then Signalbox', async () => {
    const t = await place({
      worktree: {
        '.agents/skills/build/SKILL.md': skill('build', 'of the root'),
        'a/.agents/skills/build/SKILL.md': skill('build', 'of a'),
        'a/.agents/skills/deep/er/SKILL.md': skill('deep'),
        'a/b/.agents/skills/below/SKILL.md': skill('below'),
      },
      person: { '.agents/skills/build/SKILL.md': skill('build', "the person's"), '.agents/skills/mine/SKILL.md': skill('mine') },
      home: { 'skills/mine/SKILL.md': skill('mine', "Signalbox's"), 'skills/last/SKILL.md': skill('last') },
    });
    const { all, broken } = await t.find({ cwd: join(t.root, 'a') });
    expect(all.map(({ name, description }) => `${name}: ${description}`)).toEqual([
      'build: of a',
      'deep: Does deep.',
      'mine: Does mine.',
      'last: Does last.',
    ]);
    expect(all[0]!.file).toBe(join(t.root, 'a/.agents/skills/build/SKILL.md'));
    expect(broken).toEqual([]);
  });

  test("the person's own are shown in the sandbox at a place of their own, linked ones too; outside it at their real place", async () => {
    const t = await place({ person: { '.agents/skills/mine/SKILL.md': skill('mine') } });
    const elsewhere = await tempDir();
    await files(elsewhere, { 'tool/SKILL.md': skill('tool') });
    await symlink(join(elsewhere, 'tool'), join(t.personHome, '.agents/skills/tool'));
    const { all, binds } = await t.find();
    const top = join(t.personHome, '.agents/skills');
    expect(binds.map(({ source, access }) => [source, access])).toEqual([
      [top, 'read'],
      [join(elsewhere, 'tool'), 'read'],
    ]);
    expect(binds.every(({ target }) => /^\/run\/skills\/[0-9a-f]{8}$/.test(target))).toBe(true);
    expect(all.map(({ file }) => file)).toEqual([join(binds[0]!.target, 'mine/SKILL.md'), join(binds[1]!.target, 'SKILL.md')]);
    const full = await t.find({ mode: 'full' });
    expect(full.binds).toEqual([]);
    expect(full.all.map(({ file }) => file)).toEqual([join(top, 'mine/SKILL.md'), join(elsewhere, 'tool/SKILL.md')]);
  });

  test('a link never opens the whole home, and loops end', async () => {
    const t = await place({ person: { '.agents/skills/mine/SKILL.md': skill('mine'), 'SKILL.md': skill('home') } });
    await symlink(t.personHome, join(t.personHome, '.agents/skills/all'));
    await symlink('..', join(t.personHome, '.agents/skills/mine-again'));
    await symlink('/', join(t.personHome, '.agents/skills/root'));
    const { all, binds } = await t.find();
    expect(all.map(({ name }) => name)).toEqual(['mine']);
    expect(binds).toHaveLength(1);
  });

  test('links in a worktree are followed by the sandbox', async () => {
    const t = await place({ worktree: { '.claude/skills/build/SKILL.md': skill('build'), '.agents/README': '' } });
    await symlink('../.claude/skills', join(t.root, '.agents/skills'));
    await symlink('loop', join(t.root, '.claude/skills/loop'));
    const { all } = await t.find();
    expect(all).toMatchObject([{ name: 'build', file: join(t.root, '.agents/skills/build/SKILL.md') }]);
  });

  test('what is broken is left out and told; the rest is there', async () => {
    const t = await place({
      worktree: {
        '.agents/skills/a/SKILL.md': 'no front matter',
        '.agents/skills/b/SKILL.md': '---\nname: b\nno end',
        '.agents/skills/c/SKILL.md': '---\nname: c\n---\n',
        '.agents/skills/d/SKILL.md': skill('d'.repeat(65)),
        '.agents/skills/e/SKILL.md': '---\ndescription: Named by its folder\n---\n',
        '.agents/skills/f/SKILL.md': `${skill('f')}${'x'.repeat(10_000_000)}`,
        '.agents/skills/g/SKILL.md': Buffer.from([0xff, 0xfe, 0, 1]).toString('latin1'),
      },
    });
    const { all, broken } = await t.find();
    expect(all.map(({ name }) => name)).toEqual(['e', 'f']);
    expect(broken).toEqual([
      expect.stringMatching(/a\/SKILL\.md: it has no front matter/),
      expect.stringMatching(/b\/SKILL\.md: it has no front matter/),
      expect.stringMatching(/c\/SKILL\.md: its front matter has no description/),
      expect.stringMatching(/d\/SKILL\.md: its name is longer/),
      expect.stringMatching(/g\/SKILL\.md: it has no front matter/),
    ]);
  });

  test('a place without skills costs nothing and says nothing', async () => {
    const t = await place({ worktree: { '.agents/skills': 'a file' } });
    expect(await t.find()).toEqual({ all: [], broken: [], binds: [] });
    expect(catalogue({ all: [] }, 272_000)).toBeNull();
  });
});

test.each([
  ['plain', 'name: a b # comment', 'a b'],
  ['plain over lines', 'name: a\n  b', 'a b'],
  ['double-quoted', 'name: "a: \\"b\\" \\u00fc"', 'a: "b" ü'],
  ['single-quoted', "name: 'it''s'", "it's"],
  ['folded', 'name: >-\n  a\n  b', 'a b'],
  ['literal', 'name: |\n  a\n  b', 'a\nb'],
  ['after something nested', 'meta:\n  name: no\nname: yes', 'yes'],
  ['with CRLF', 'name: a\r', 'a'],
])('front matter: %s', (_kind, yaml, value) => {
  expect(frontMatter(`---\n${yaml}\n---\nbody\nname: not this`)?.get('name')).toBe(value);
});

describe('the catalogue', () => {
  const many = (count: number, length: number) =>
    Array.from({ length: count }, (_, at) => ({
      name: `skill-${at}`,
      description: at % 2 ? 'short' : 'ü'.repeat(length),
      file: `/run/skills/x/skill-${at}/SKILL.md`,
    }));
  test('stays within two per cent of the window: shorter descriptions first, then fewer skills', () => {
    for (const [count, length] of [
      [10, 100],
      [50, 500],
      [200, 500],
      [2000, 500],
    ] as const) {
      const text = catalogue({ all: many(count, length) }, 272_000)!;
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(272_000 * 0.02 * 4);
      expect(text.includes('- skill-1: short (/run/skills/x/skill-1/SKILL.md)')).toBe(count < 2000);
      expect(text.includes('are left out for want of room')).toBe(count === 2000);
      expect(text).not.toContain('\uFFFD');
    }
    expect(catalogue({ all: many(10, 100) }, 272_000)).toContain('ü'.repeat(100));
  });
  test('the person names a skill', () => {
    const skills = {
      all: [
        { name: 'build', description: '', file: '/b' },
        { name: 'pdf-tools', description: '', file: '/p' },
      ],
      broken: [],
      binds: [],
    };
    expect(mentioned(skills, ['use $build.'])).toContain('- build: /b');
    expect(mentioned(skills, ['($pdf-tools, please) and $build'])).toContain('- pdf-tools: /p');
    for (const text of ['echo $PATH', 'US$build', '\\$build', '$builder', '$ build', 'build']) expect(mentioned(skills, [text])).toBeNull();
  });
});

test('a turn: told once at the start, told anew when it changes, named ones pointed to, read from disk, broken ones noted once', async () => {
  const t = await rig([
    [call('exec_command', { cmd: 'cat .agents/skills/build/SKILL.md' })],
    [say('ok')],
    [say('ok')],
    [say('ok')],
    [say('ok')],
  ]);
  await files(t.worktree, { '.agents/skills/build/SKILL.md': skill('build'), '.agents/skills/bad/SKILL.md': 'bad' });
  await t.turn('please $build it');
  const first = t.server.requests[0]!.body.input;
  expect(textOf(first[1]!)).toContain('- build: Does build. (');
  expect(first.slice(3).map(textOf)).toEqual([expect.stringContaining('asks for this skill'), 'please $build it']);
  expect(lastOutput(t.server.requests[1]!.body)).toContain('Do it well.');
  expect(t.items('notice').map(({ text }) => text)).toEqual([expect.stringContaining('bad/SKILL.md')]);
  await t.turn('again');
  const second = t.server.requests[2]!.body.input;
  expect(second.filter((item) => textOf(item).includes('<skills>'))).toHaveLength(1);
  expect(t.items('notice')).toHaveLength(1);
  await files(t.worktree, { '.agents/skills/test/SKILL.md': skill('test') });
  await t.turn('and again');
  const third = t.server.requests[3]!.body.input;
  expect(textOf(third.findLast((item) => item.role === 'developer')!)).toContain('- test: Does test.');
  expect(JSON.stringify(third)).toContain(JSON.stringify(second).slice(0, -1));
  expect(t.server.refused).toEqual([]);
});

test("a command sees the person's skills; one that was removed meanwhile is no reason to fail", async () => {
  const personHome = await tempDir();
  await files(personHome, { '.agents/skills/mine/SKILL.md': skill('mine') });
  const t = await rig([
    [call('exec_command', { cmd: 'true' })],
    [call('exec_command', { cmd: `rm -r ${personHome}/.agents` })],
    [call('exec_command', { cmd: 'true' })],
    [say('ok')],
  ]);
  expect(await t.turn('hi', { personHome })).toMatchObject({ status: 'completed' });
  const { ran } = t.machine as ReturnType<typeof plainMachine>;
  expect(ran.map(({ binds }) => binds?.length)).toEqual([1, 1, 0]);
});
