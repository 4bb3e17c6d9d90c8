import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { createCore } from '../../agent-core/core.ts';
import { call, lastOutput, say, startModelServer, textOf } from '../model-server/index.ts';
import { Rig } from './support.ts';

let rig: Rig;
afterEach(() => rig.close());

const write = (folder: string, name: string): void => {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'SKILL.md'), `---\nname: ${name}\ndescription: Does ${name}.\n---\nThe body of ${name}.\n`);
};

test("the person's own skills are read inside the sandbox, and nothing there can change them or what lies beside", async () => {
  rig = new Rig();
  const person = join(rig.folder, 'person');
  write(join(person, '.agents/skills/mine'), 'mine');
  write(join(rig.folder, 'elsewhere/linked'), 'linked');
  symlinkSync(join(rig.folder, 'elsewhere/linked'), join(person, '.agents/skills/linked'));
  writeFileSync(join(rig.folder, 'elsewhere/secret'), 'secret');
  write(join(rig.home, 'skills/ours'), 'ours');
  let catalogue = '';
  let told = 0;
  const outputs: string[] = [];
  rig.model = await startModelServer((request) => {
    catalogue = textOf(request.input[1]!);
    const paths = [...catalogue.matchAll(/\((\/[^)]*SKILL\.md)\)/g)].map((match) => match[1]!);
    told = paths.length;
    const last = lastOutput(request);
    if (last) outputs.push(last);
    if (outputs.length === 0) return [call('exec_command', { cmd: `cat ${paths.join(' ')}` })];
    if (outputs.length > 1) return [say('Done.')];
    const linked = paths.find((path) => catalogue.includes(`linked: Does linked. (${path})`))!;
    return [
      call('exec_command', {
        cmd: `for f in ${paths.join(' ')}; do echo x >> $f; done; ls ${linked.replace('/SKILL.md', '')}/.. /run/skills; cat ${linked.replace('SKILL.md', '../secret')}`,
      }),
    ];
  });
  rig.core = await createCore({
    home: rig.home,
    host: 'test',
    openOn: null,
    env: { PATH: process.env['PATH'], HOME: person, OPENAI_BASE_URL: rig.model.url, OPENAI_API_KEY: 'sk-test', SIGNALBOX_MODEL: 'gpt-5.5' },
  });
  rig.project = await rig.call('project/open', { path: rig.repo });
  const task = await rig.create('Use your skills');
  await rig.reaches(task.id, 'review');
  for (const name of ['mine', 'linked', 'ours']) expect(outputs[0]).toContain(`The body of ${name}.`);
  // Those that come with us are told too.
  expect(told).toBeGreaterThanOrEqual(3);
  expect(outputs[1]!.match(/Read-only file system/g)).toHaveLength(told);
  expect(outputs[1]).not.toContain('\nsecret');
  expect(existsSync(join(rig.worktree(task.id), '.agents'))).toBe(false);
});
