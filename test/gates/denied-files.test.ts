import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { call, customCall, lastOutput, say, type Script } from '../model-server/index.ts';
import { Rig } from '../runtime/support.ts';

let rig: Rig;
afterEach(() => rig.close());

const outputs = (request: Parameters<Script>[0]): number =>
  request.input.filter((item) => item.type === 'function_call_output' || item.type === 'custom_tool_call_output').length;
const denials = () => Object.values(rig.board.denials);

test('what an agent plants is a denial that one click lets in, once or for good; the agent is told', async () => {
  const told: string[] = [];
  rig = await Rig.start((request) => {
    if (outputs(request) > 0) told.push(lastOutput(request));
    if (outputs(request) === 0) return [call('exec_command', { cmd: 'echo export A=1 > .envrc; echo done' })];
    if (outputs(request) === 1)
      return [customCall('apply_patch', '*** Begin Patch\n*** Add File: .vscode/tasks.json\n+{ "one": 1 }\n*** End Patch\n')];
    return [say('ok')];
  });
  const task = await rig.create('Plant');
  await rig.reaches(task.id, 'review');
  expect(told[0]).toContain('done');
  expect(told[0]).toContain('".envrc"');
  expect(told[1]).toContain('".vscode"');
  const worktree = rig.worktree(task.id);
  expect(existsSync(join(worktree, '.envrc'))).toBe(false);
  expect(existsSync(join(worktree, '.vscode/tasks.json'))).toBe(false);
  expect(denials().map(({ subject, command, kind }) => [kind, subject, command])).toEqual([
    ['file', '.envrc', 'echo export A=1 > .envrc; echo done'],
    ['file', '.vscode', 'apply_patch'],
  ]);
  expect(rig.task(task.id).diff).toEqual({ files: 0, added: 0, removed: 0 });
  const items = (await rig.call('thread/read', { threadId: rig.thread(task.id).id })).items.filter((item) => item.type === 'denial');
  expect(items.map((item) => item.decision)).toEqual(['open', 'open']);

  const [envrc, vscode] = denials();
  expect(await rig.call('denial/read', { denialId: envrc!.id })).toEqual({
    files: [{ path: '.envrc', text: 'export A=1\n', truncated: false }],
    more: 0,
  });
  await rig.call('denial/decide', { denialIds: [envrc!.id], decision: 'allow', scope: 'once' });
  expect(readFileSync(join(worktree, '.envrc'), 'utf8')).toBe('export A=1\n');
  await rig.call('denial/decide', { denialIds: [vscode!.id], decision: 'allow', scope: 'project' });
  expect(readFileSync(join(worktree, '.vscode/tasks.json'), 'utf8')).toBe('{ "one": 1 }\n');
  expect(rig.board.projects[rig.project.id]!.grants?.files).toEqual(['.vscode']);
  expect(denials()).toEqual([]);

  // Another task of the project may now; the other path is asked for again.
  const second = await rig.create('Plant again');
  await rig.reaches(second.id, 'review');
  expect(existsSync(join(rig.worktree(second.id), '.vscode/tasks.json'))).toBe(true);
  expect(denials().map(({ subject, taskId }) => [subject, taskId])).toEqual([['.envrc', second.id]]);
  await rig.call('denial/decide', { denialIds: [denials()[0]!.id], decision: 'dismiss' });
  expect(existsSync(join(rig.worktree(second.id), '.envrc'))).toBe(false);
  expect(denials()).toEqual([]);
});

test('another content of the same file takes the place of what was asked about; a denial outlives a restart', async () => {
  rig = await Rig.start((request) =>
    outputs(request) < 2 ? [call('exec_command', { cmd: `echo ${outputs(request)} > .mcp.json` })] : [say('ok')],
  );
  const task = await rig.create('Twice');
  await rig.reaches(task.id, 'review');
  expect(denials()).toHaveLength(1);
  await rig.core.dispose();
  await rig.open();
  expect(denials()).toHaveLength(1);
  await rig.call('denial/decide', { denialIds: [denials()[0]!.id], decision: 'allow', scope: 'task' });
  expect(readFileSync(join(rig.worktree(task.id), '.mcp.json'), 'utf8')).toBe('1\n');
});
