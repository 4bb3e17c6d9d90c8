import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { applyPatch, parsePatch, patchPaths } from '../../agent-core/harness/tools/apply-patch/index.ts';
import { folderWith, type Folder } from './folder.ts';
import { scenarios } from './scenarios.ts';

const open: Folder[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((folder) => folder.remove()));
});
async function folder(content: Record<string, string | Uint8Array>): Promise<Folder> {
  const made = await folderWith(content);
  open.push(made);
  return made;
}
const wrap = (body: string) => `*** Begin Patch\n${body}*** End Patch\n`;

test.each(scenarios)('$name', async ({ before, patch, after, fails }) => {
  const dir = await folder(before);
  const result = await applyPatch(patch, dir.files, dir.path);
  expect(await dir.read()).toEqual(after);
  if (fails)
    expect(result).toMatchObject({
      ok: false,
      text: expect.stringMatching(/^apply_patch verification failed: /) as string,
      summary: expect.stringMatching(fails) as string,
    });
  else expect(result).toMatchObject({ ok: true });
});

test('lists what it did for the model, and counts for the person', async () => {
  const dir = await folder({ 'a.txt': '1\n2\n3\n', 'gone.txt': 'x\ny\n', 'old.txt': 'o\n' });
  const result = await applyPatch(
    wrap(
      '*** Delete File: gone.txt\n*** Update File: a.txt\n@@\n-1\n+one\n+uno\n 2\n*** Add File: new/b.txt\n+b\n*** Update File: old.txt\n*** Move to: new/o.txt\n@@\n-o\n+O\n',
    ),
    dir.files,
    dir.path,
  );
  expect(result.text.replace(/\d+\.\d/, '0.1')).toBe(
    'Exit code: 0\nWall time: 0.1 seconds\nOutput:\nSuccess. Updated the following files:\nA new/b.txt\nM a.txt\nM new/o.txt\nD gone.txt\n',
  );
  expect(result.changes).toEqual([
    { path: 'gone.txt', movedTo: null, kind: 'delete', added: 0, removed: 2 },
    { path: 'a.txt', movedTo: null, kind: 'update', added: 2, removed: 1 },
    { path: 'new/b.txt', movedTo: null, kind: 'add', added: 1, removed: 0 },
    { path: 'old.txt', movedTo: 'new/o.txt', kind: 'update', added: 1, removed: 1 },
  ]);
});

test('names the file by its full path where it fails', async () => {
  const dir = await folder({ 'sub/a.txt': 'x\n' });
  const { text } = await applyPatch(wrap('*** Update File: a.txt\n@@\n-y\n-z\n+w\n'), dir.files, join(dir.path, 'sub'));
  expect(text).toBe(`apply_patch verification failed: Failed to find expected lines in ${join(dir.path, 'sub/a.txt')}:\ny\nz`);
});

test('starts relative paths at the working folder and takes absolute ones inside', async () => {
  const dir = await folder({ 'sub/a.txt': 'a\n', 'b.txt': 'b\n', 'c.txt': 'c\n' });
  const update = (path: string, from: string) => `*** Update File: ${path}\n@@\n-${from}\n+${from.toUpperCase()}\n`;
  const patch = wrap(update('a.txt', 'a') + update(join(dir.path, 'b.txt'), 'b') + update('../c.txt', 'c'));
  expect(await applyPatch(patch, dir.files, join(dir.path, 'sub'))).toMatchObject({ ok: true });
  expect(await dir.read()).toEqual({ 'sub/a.txt': 'A\n', 'b.txt': 'B\n', 'c.txt': 'C\n' });
});

test.each(['../outside.txt', '/etc/outside.txt'])('is rejected where the door refuses the way out: %s', async (path) => {
  const dir = await folder({});
  const result = await applyPatch(wrap(`*** Add File: ${path}\n+x\n`), dir.files, dir.path);
  expect(result).toMatchObject({ ok: false, changes: [] });
  expect(result.text).toMatch(/^patch rejected: writing outside of the project; rejected by user approval settings\n/);
});

test('leaves a file alone that is no text', async () => {
  const bytes = new Uint8Array([0x61, 0x0a, 0xff, 0xfe, 0x0a]);
  const dir = await folder({ 'image.png': bytes });
  const result = await applyPatch(wrap('*** Update File: image.png\n@@\n-a\n+b\n'), dir.files, dir.path);
  expect(result).toMatchObject({ ok: false, text: expect.stringContaining('did not contain valid UTF-8') as string });
  expect(await dir.files.read('image.png')).toEqual(Buffer.from(bytes));
  expect(await applyPatch(wrap('*** Update File: image.png\n*** Move to: photo.png\n'), dir.files, dir.path)).toMatchObject({ ok: true });
  expect(await dir.files.read('photo.png')).toEqual(Buffer.from(bytes));
});

test('tells the paths before anything is touched', () => {
  const hunks = parsePatch(wrap('*** Add File: a b.txt\n+x\n*** Update File: "q".txt\n*** Move to: ü/z.txt\n*** Delete File: a b.txt\n'));
  expect(patchPaths(hunks)).toEqual(['a b.txt', '"q".txt', 'ü/z.txt']);
});

test('a large file with many changes is done at once', async () => {
  const lines = Array.from({ length: 40_000 }, (_, i) => `line ${i}`);
  const dir = await folder({ 'big.txt': `${lines.join('\n')}\n` });
  const chunks = Array.from({ length: 200 }, (_, i) => `@@\n-line ${i * 200}\n+LINE ${i * 200}\n`).join('');
  const started = performance.now();
  expect(await applyPatch(wrap(`*** Update File: big.txt\n${chunks}`), dir.files, dir.path)).toMatchObject({ ok: true });
  expect(performance.now() - started).toBeLessThan(3000);
});
