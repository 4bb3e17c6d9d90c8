import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { OpenWorkspace } from '../../../agent-core/workspace/index.ts';
import { WORKS } from './works.ts';
import { runLine, SuiteWorld } from './world.ts';

let world: SuiteWorld;
let workspace: OpenWorkspace;
beforeAll(async () => {
  world = new SuiteWorld();
  workspace = await world.open();
});
afterAll(() => world.dispose());

describe.each(WORKS)('%s', (_, needs) => {
  test.each(needs)('$name', { timeout: 60_000 }, async ({ run, says = '', needs: programs = [], tty = false }) => {
    for (const program of programs)
      if ((await runLine(workspace, program === 'pytest' ? 'python3 -c "import pytest"' : `command -v ${program}`)).code !== 0) return;
    const { code, text } = await runLine(workspace, `set -e -o pipefail; ${run}`, { tty });
    expect(code, text).toBe(0);
    expect(text).toContain(says);
  });
});
