import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from '../../scripts/lib/run.mjs';

/** A copy of the lint configuration in a folder of its own, in which files can break the law. */
let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'signalbox-law-'));
  for (const path of ['.oxlintrc.json', 'tsconfig.json', 'package.json', 'scripts/lint'])
    cpSync(join(root, path), join(folder, path), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Finding {
  code: string;
  message: string;
}

/** What the linter says of one file with this content, at this place. */
function lint(path: string, content: string): Finding[] {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  const oxlint = join(root, 'node_modules/oxlint/bin/oxlint');
  const { stdout } = spawnSync(process.execPath, [oxlint, '--type-aware', '-f', 'json', path], { cwd: folder, encoding: 'utf8' });
  rmSync(file);
  return (JSON.parse(stdout) as { diagnostics: Finding[] }).diagnostics;
}
const codes = (findings: Finding[]): string[] => findings.map((finding) => finding.code);

const broken: [place: string, content: string][] = [
  ['renderer/app/a.ts', `import { createCore } from '../../agent-core/core.ts'; createCore();`],
  ['renderer/app/b.ts', `import { join } from 'node:path'; join();`],
  ['renderer/features/board/c.ts', `import { x } from '../task/x.ts'; x();`],
  ['renderer/features/board/d.ts', `export * from '../task/x.ts';`],
  ['electron/main/e.ts', `import { Store } from '../../agent-core/storage/store.ts'; Store();`],
  ['electron/main/f.ts', `import { x } from '../../renderer/app/x.ts'; x();`],
  ['agent-core/runtime/g.ts', `import { app } from 'electron'; app();`],
  ['agent-core/runtime/h.ts', `import { x } from '../../renderer/state/x.ts'; x();`],
  ['agent-core/domain/i.ts', `import { readFileSync } from 'node:fs'; readFileSync();`],
  ['agent-core/domain/j.ts', `import { x } from '../storage/store.ts'; x();`],
  ['agent-core/contract/k.ts', `import { x } from 'crypto'; x();`],
  ['agent-core/contract/l.ts', `import { x } from '../support/ids.ts'; x();`],
  ['agent-core/runtime/m.ts', `import { spawn } from 'node:child_process'; spawn('true');`],
  ['agent-core/terminal/n.ts', `import { spawn } from 'node-pty'; spawn();`],
  ['agent-core/runtime/o.ts', `import { simpleGit } from 'simple-git'; simpleGit();`],
  ['agent-core/runtime/p.ts', `import OpenAI from 'openai'; OpenAI();`],
  ['agent-core/harness/tools/q.ts', `import type { Item } from 'openai/resources/responses/responses'; export type X = Item;`],
  ['agent-core/harness/types.ts', `import OpenAI from 'openai'; OpenAI();`],
  ['agent-core/harness/tools/u.ts', `import { Terminals } from '../../terminal/terminals.ts'; Terminals();`],
  ['agent-core/runtime/r.ts', `export const x = () => import('node:child_process');`],
];

describe('the import law fails the build', () => {
  it.each(broken)('in %s', (place, content) => {
    expect(codes(lint(place, content))).toContain('signalbox(import-law)');
  });

  it('for raw IPC outside electron/ipc and electron/preload', () => {
    const content = `import { ipcMain } from 'electron'; ipcMain.on('x', () => undefined);`;
    expect(codes(lint('electron/main/s.ts', content))).toContain('signalbox(raw-ipc)');
    expect(codes(lint('electron/ipc/s.ts', content))).toEqual([]);
  });

  it('for git started outside git/', () => {
    const content = `import { spawn } from 'node:child_process'; spawn('git', ['status']);`;
    expect(codes(lint('agent-core/hosts/t.ts', content))).toContain('signalbox(starts-git)');
    expect(codes(lint('agent-core/git/t.ts', content))).toEqual([]);
  });

  it('but not what is lawful', () => {
    expect(lint('renderer/app/u.ts', `import { x } from '../../agent-core/contract/index.ts'; x();`)).toEqual([]);
    expect(lint('renderer/features/board/v.ts', `import { x } from './x.ts'; import { y } from '../../ui/y.ts'; x(y);`)).toEqual([]);
    expect(lint('electron/core-process/w.ts', `import { x } from '../../agent-core/core.ts'; x();`)).toEqual([]);
    expect(
      lint('agent-core/harness/types.ts', `import type { Item } from 'openai/resources/responses/responses'; export type X = Item;`),
    ).toEqual([]);
    expect(lint('agent-core/harness/model/x.ts', `import OpenAI from 'openai'; new OpenAI().close();`)).toEqual([]);
    expect(lint('agent-core/domain/y.ts', `import { x } from '../contract/index.ts'; x();`)).toEqual([]);
  });
});

describe('the size limits fail the build', () => {
  it('over 500 lines a file', () => {
    expect(codes(lint('agent-core/runtime/long.ts', 'export const a = 1;\n' + '// line\n'.repeat(500)))).toContain('eslint(max-lines)');
    expect(lint('agent-core/runtime/long.ts', 'export const a = 1;\n' + '// line\n'.repeat(498))).toEqual([]);
  });

  it('over 80 lines a function', () => {
    const body = (lines: number) => `export function a(): void {\n${'  console.log(1);\n'.repeat(lines)}}\n`;
    expect(codes(lint('agent-core/runtime/deep.ts', body(80)))).toContain('eslint(max-lines-per-function)');
    expect(lint('agent-core/runtime/deep.ts', body(78))).toEqual([]);
  });
});

describe('other rules that fail the build', () => {
  it('a promise that nobody waits for, any, and what is not used', () => {
    const found = codes(
      lint(
        'agent-core/runtime/z.ts',
        `async function f(): Promise<void> {}\nexport const g = (x: any): void => { f(); };\nconst unused = 1;\n`,
      ),
    );
    expect(found).toContain('typescript(no-floating-promises)');
    expect(found).toContain('typescript(no-explicit-any)');
    expect(found).toContain('eslint(no-unused-vars)');
  });
});
