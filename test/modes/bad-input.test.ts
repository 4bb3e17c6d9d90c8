import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { draftOf } from '../../agent-core/domain/draft.ts';
import { call, customCall, lastOutput, say, textOf, type Step } from '../model-server/index.ts';
import { rig, tempDir } from '../harness/support/rig.ts';

const png = (width: number, height: number): Buffer => {
  const bytes = Buffer.alloc(64);
  bytes.writeUInt32BE(0x89504e47, 0);
  bytes.writeUInt32BE(width, 16);
  bytes.writeUInt32BE(height, 20);
  return bytes;
};
const skill = (worktree: string, name: string, text: string | Buffer) => {
  mkdirSync(join(worktree, '.agents/skills', name), { recursive: true });
  writeFileSync(join(worktree, '.agents/skills', name, 'SKILL.md'), text);
};
const run = (cmd: string) => call('exec_command', { cmd });

/** What the surroundings or a call do, and what the model is told about it. Each turn completes, and so does the next. */
const table: [string, (worktree: string) => void, Step, RegExp][] = [
  [
    'a line of 100,000 characters',
    () => {},
    run("head -c 100000 /dev/zero | tr '\\0' x"),
    /^Chunk ID: [0-9a-f]{6}\nWall time: \d+\.\d{4} seconds\nProcess exited with code 0\nOriginal token count: 25000\nOutput:\nWarning: truncated output \(original token count: 25000\)\nTotal output lines: 1\n\nx{20000}…15000 tokens truncated…x{20000}$/,
  ],
  [
    '60,001 lines',
    () => {},
    run('seq 1 60001'),
    /Warning: truncated output \(original token count: \d+\)\nTotal output lines: 60001\n\n1\n2\n/,
  ],
  ['invalid UTF-8', () => {}, run("printf 'a\\xff\\xfe\\xc3(b'"), /Output:\na\ufffd\ufffd\ufffd\(b$/],
  ['binary output', () => {}, run('head -c 4096 /dev/urandom'), /^Chunk ID: [^]*Output:\n/],
  ['NUL and escapes', () => {}, run("printf 'a\\0b\\033[31m'"), /Output:\na\0b\u001b\[31m$/],
  [
    'an image of 200 megapixels',
    (at) => writeFileSync(join(at, 'x.png'), png(20_000, 10_000)),
    call('view_image', { path: 'x.png' }),
    /^unable to view x\.png: it is too large \(20000×10000 pixels; at most 8 MiB and 40 megapixels\)/,
  ],
  [
    'an image of 20 MB',
    (at) => writeFileSync(join(at, 'x.png'), Buffer.concat([png(10, 10), Buffer.alloc(20_000_000)])),
    call('view_image', { path: 'x.png' }),
    /^unable to view x\.png: .*(too large|bytes)/,
  ],
  [
    'an image that is none',
    (at) => writeFileSync(join(at, 'x.png'), 'no'),
    call('view_image', { path: 'x.png' }),
    /^unable to view x\.png: it is no PNG, JPEG, GIF or WebP image/,
  ],
  [
    'an image of no size',
    (at) => writeFileSync(join(at, 'x.png'), png(0, 0)),
    call('view_image', { path: 'x.png' }),
    /^unable to view x\.png|^\[image\]|^$/,
  ],
  ['a folder as an image', (at) => mkdirSync(join(at, 'x')), call('view_image', { path: 'x' }), /^unable to view x: /],
  ['an image outside', () => {}, call('view_image', { path: '/etc/hostname' }), /^unable to view \/etc\/hostname: /],
  ['a patch that is none', () => {}, customCall('apply_patch', 'hello'), /^apply_patch verification failed: /],
  [
    'a patch of a file that is not there',
    () => {},
    customCall('apply_patch', '*** Begin Patch\n*** Update File: no.txt\n@@\n-a\n+b\n*** End Patch\n'),
    /^apply_patch verification failed: Failed to read file to update \/.*no\.txt: No such file or directory \(os error 2\)/,
  ],
  [
    'a patch with lines that are not there',
    (at) => writeFileSync(join(at, 'a.txt'), 'x\n'),
    customCall('apply_patch', '*** Begin Patch\n*** Update File: a.txt\n@@\n-gone\n+b\n*** End Patch\n'),
    /^apply_patch verification failed: Failed to find expected lines in \/.*a\.txt:\ngone$/,
  ],
  [
    'a patch of a binary file',
    (at) => writeFileSync(join(at, 'b'), Buffer.from([0xff, 0xfe, 0])),
    customCall('apply_patch', '*** Begin Patch\n*** Update File: b\n@@\n-a\n+b\n*** End Patch\n'),
    /did not contain valid UTF-8/,
  ],
  ['an unknown tool', () => {}, call('frobnicate', {}), /^unsupported call: frobnicate$/],
  ['an unknown session', () => {}, call('write_stdin', { session_id: 12_345 }), /^write_stdin failed: Unknown process id 12345$/],
  [
    'an AGENTS.md that is a loop of links',
    (at) => {
      symlinkSync('b', join(at, 'AGENTS.md'));
      symlinkSync('AGENTS.md', join(at, 'b'));
    },
    run('echo on'),
    /Output:\non\n$/,
  ],
  ['an AGENTS.md of 10 MB', (at) => writeFileSync(join(at, 'AGENTS.md'), 'long\n'.repeat(2_000_000)), run('echo on'), /Output:\non\n$/],
  ['an AGENTS.md of bytes', (at) => writeFileSync(join(at, 'AGENTS.md'), Buffer.from([0xff, 0, 1, 2])), run('echo on'), /Output:\non\n$/],
  ['a skill with broken front matter', (at) => skill(at, 'bad', '---\nname: [\n  oops'), run('echo on'), /Output:\non\n$/],
  ['a skill of bytes', (at) => skill(at, 'bytes', Buffer.from([0xff, 0xfe, 0, 45, 45])), run('echo on'), /Output:\non\n$/],
];

describe('bad input ends with an exact reason, or the turn goes on', () => {
  test.each(table)('%s', async (_name, prepare, step, wanted) => {
    const t = await rig([[step], [say('Seen.')], [say('And on.')]]);
    prepare(t.worktree);
    expect(await t.turn('go')).toMatchObject({ status: 'completed', message: 'Seen.' });
    expect(lastOutput(t.server.requests[1]!.body)).toMatch(wanted);
    expect(await t.turn('go on')).toMatchObject({ status: 'completed', message: 'And on.' });
    expect(t.server.refused).toEqual([]);
    const first = t.server.requests[0]!.body.input.map(textOf).join('').length;
    expect(first).toBeLessThan(60_000);
  });

  test('the person’s own AGENTS.md of 10 MB is cut, not sent whole', async () => {
    const home = await tempDir();
    writeFileSync(join(home, 'AGENTS.md'), 'mine\n'.repeat(2_000_000));
    const t = await rig([[say('Hi.')]], { input: { home } });
    expect(await t.turn('go')).toMatchObject({ status: 'completed' });
    expect(JSON.stringify(t.server.requests[0]!.body).length).toBeLessThan(100_000);
  });

  test('a broken skill is told to the person once, with what is wrong', async () => {
    const t = await rig([[say('Hi.')], [say('Hi.')]]);
    skill(t.worktree, 'bad', 'no front matter');
    await t.turn('go');
    await t.turn('again');
    expect(t.items('notice').map(({ text }) => text)).toEqual([expect.stringMatching(/^Skills that can't be used:\n.*bad\/SKILL\.md/)]);
  });
});

test('between two steps nothing that was sent changes: no byte, in ten steps of all tools', async () => {
  const steps: Step[] = [
    run('echo 1'),
    customCall('apply_patch', '*** Begin Patch\n*** Add File: a.txt\n+1\n*** End Patch\n'),
    call('update_plan', { plan: [{ step: 'one', status: 'in_progress' }] }),
    run('cat a.txt; exit 3'),
    call('view_image', { path: 'none.png' }),
    call('write_stdin', { session_id: 10_000 }),
    call('request_user_input', { questions: [{ id: 'q', header: 'Q', question: 'Q?', options: [] }] }),
    call('nothing', {}),
    run('echo 2'),
  ];
  const t = await rig((_request, n) => [steps[n - 1] ?? say('Done.')]);
  await t.turn('go');
  const bodies = t.server.requests.map(({ body }) => body);
  expect(bodies.length).toBe(10);
  const changed = bodies.slice(1).map((body, at) => {
    const before = bodies[at]!;
    const [one, two] = [JSON.stringify(before.input).slice(0, -1), JSON.stringify(body.input)];
    let bytes = 0;
    for (let index = 0; index < one.length; index += 1) if (one[index] !== two[index]) bytes += 1;
    const { input: _a, ...rest } = before;
    const { input: _b, ...same } = body;
    expect(JSON.stringify(same)).toBe(JSON.stringify(rest));
    return bytes;
  });
  expect(changed).toEqual(Array.from({ length: 9 }, () => 0));
});

test('a patch is shown while it is written, freeform or as JSON, wherever the text ends', async () => {
  const patch = '*** Begin Patch\n*** Update File: src/a.ts\n@@\n-old "x"\n+new\\tvalue\n*** Add File: b.ts\n+1\n*** End Patch\n';
  expect(draftOf('*** Begin Patch\n*** Upd')).toBe(null);
  expect(draftOf(patch.slice(0, 60))).toMatchObject({ subject: 'src/a.ts' });
  expect(draftOf(patch)).toMatchObject({ subject: 'b.ts', preview: expect.stringContaining('+1') });
  const json = JSON.stringify({ input: patch });
  for (let at = 60; at <= json.length; at += 1) {
    const shown = draftOf(json.slice(0, at))!;
    expect(patch).toContain(shown.preview);
  }
  const drafts: [string, string][] = [];
  const t = await rig([[customCall('apply_patch', patch)], [say('Done.')]], {
    host: { drafting: (tool, text) => drafts.push([tool, text]) },
  });
  await t.turn('go');
  expect(drafts.length).toBeGreaterThan(1);
  expect(drafts.at(-1)).toEqual(['apply_patch', patch]);
  expect(drafts.every(([, text], at) => at === 0 || text.startsWith(drafts[at - 1]![1]))).toBe(true);
});
