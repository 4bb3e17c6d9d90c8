import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { instructions } from '../../agent-core/harness/context/agents-md.ts';
import { say, textOf } from '../model-server/index.ts';
import { plainMachine } from './support/plain-machine.ts';
import { rig, tempDir } from './support/rig.ts';

async function tree(files: Record<string, string>) {
  const root = await tempDir();
  for (const [path, text] of Object.entries({ '.git': 'gitdir: elsewhere', ...files })) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return { root, read: (folder = '', home?: string) => instructions(plainMachine(root), join(root, folder), home) };
}
const wrapped = (cwd: string, text: string) => `# AGENTS.md instructions for ${cwd}\n\n<INSTRUCTIONS>\n${text}\n</INSTRUCTIONS>`;

test('one file a folder from the root down to where work starts, the override first', async () => {
  const t = await tree({
    'AGENTS.md': 'root',
    'a/AGENTS.md': 'not this',
    'a/AGENTS.override.md': 'a',
    'a/b/AGENTS.md': 'b',
    'a/b/c/AGENTS.md': 'below',
  });
  expect(await t.read('a/b')).toBe(wrapped(join(t.root, 'a/b'), 'root\n\na\n\nb'));
  expect(await t.read()).toBe(wrapped(t.root, 'root'));
});

test("the person's own come first, with a separator", async () => {
  const t = await tree({ 'AGENTS.md': 'root' });
  const home = await tempDir();
  await writeFile(join(home, 'AGENTS.override.md'), ' \n');
  await writeFile(join(home, 'AGENTS.md'), 'own\n');
  expect(await t.read('', home)).toBe(wrapped(t.root, 'own\n\n--- project-doc ---\n\nroot'));
  expect(await (await tree({})).read('', home)).toContain('<INSTRUCTIONS>\nown\n</INSTRUCTIONS>');
});

test('the nearest folder with a .git is the root; without one only the folder itself counts', async () => {
  const t = await tree({ 'AGENTS.md': 'root', 'inner/.git/HEAD': '', 'inner/AGENTS.md': 'inner', 'inner/x/AGENTS.md': 'x' });
  expect(await t.read('inner/x')).toContain('\ninner\n\nx\n');
  const root = await tempDir();
  await mkdir(join(root, 'sub'));
  await writeFile(join(root, 'AGENTS.md'), 'root');
  await writeFile(join(root, 'sub/AGENTS.md'), 'sub');
  expect(await instructions(plainMachine(root), join(root, 'sub'), undefined)).toBe(wrapped(join(root, 'sub'), 'sub'));
});

test('empty ones are left out, none is none, 32 KiB is the limit', async () => {
  expect(await (await tree({})).read()).toBeNull();
  expect(await (await tree({ 'AGENTS.md': '\n \n' })).read()).toBeNull();
  const t = await tree({ 'AGENTS.md': 'r'.repeat(30_000), 'a/AGENTS.md': 'a'.repeat(10_000_000) });
  const text = await t.read('a');
  expect(text).toContain(`${'r'.repeat(30_000)}\n\n${'a'.repeat(2768)}\n</INSTRUCTIONS>`);
});

test('links are followed as the agent could, loops and folders are skipped', async () => {
  const t = await tree({ 'CLAUDE.md': 'linked', 'a/x': '', 'b/AGENTS.md/x': '' });
  await symlink('CLAUDE.md', join(t.root, 'AGENTS.md'));
  await symlink('AGENTS.md', join(t.root, 'a/AGENTS.md'));
  expect(await t.read('a')).toBe(wrapped(join(t.root, 'a'), 'linked'));
  expect(await t.read('b')).toBe(wrapped(join(t.root, 'b'), 'linked'));
});

test('they reach the model with the facts of the place, before what the person says', async () => {
  const t = await rig([[say('ok')]]);
  await writeFile(join(t.worktree, 'AGENTS.md'), 'Use tabs.');
  await t.turn('hello');
  const [base, may, context, prompt] = t.server.requests[0]!.body.input;
  expect([base!.role, may!.role, context!.role]).toEqual(['developer', 'developer', 'user']);
  expect(textOf(may!)).toMatch(/^<permissions>[\s\S]*no network/);
  expect(textOf(context!)).toMatch(
    /^# AGENTS\.md instructions for [\s\S]*Use tabs\.[\s\S]*<environment_context>[\s\S]*<current_date>\d{4}-\d\d-\d\d</,
  );
  expect(textOf(prompt!)).toBe('hello');
});
