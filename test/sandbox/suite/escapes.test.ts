import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { OpenWorkspace } from '../../../agent-core/workspace/index.ts';
import { ESCAPES } from './escapes.ts';
import { runLine, SuiteWorld } from './world.ts';

let world: SuiteWorld;
let workspace: OpenWorkspace;
let before: Record<string, string>;
beforeAll(async () => {
  world = new SuiteWorld();
  workspace = await world.open();
  before = world.fingerprint();
});
afterAll(() => world.dispose());

describe.each(ESCAPES)('%s', (_, rows) => {
  test.each(rows)('$name', async ({ run }) => {
    const { text } = await runLine(workspace, run, { env: world.env });
    expect(text).not.toMatch(/CANARY-|^THROUGH/m);
    expect(world.reached).toBe(0);
    expect(world.fingerprint()).toEqual(before);
    // What was planted takes effect, if at all, when the next command's fence is put up.
    expect((await runLine(workspace, 'pwd; git rev-parse --abbrev-ref HEAD')).text).toContain(world.worktree);
    expect(world.fingerprint()).toEqual(before);
  });
});
