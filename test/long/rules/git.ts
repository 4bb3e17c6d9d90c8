import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { rule, type Rule } from '../support/rule.ts';

const RUNNER = 'agent-core/git/runner.ts';
const STORE = 'agent-core/git/session-store.ts';
const HARDENING = ['test/git/hardening.test.ts'];

/** Each switch of the list, as the source has it. */
function switches(): Rule[] {
  const source = readFileSync(join(import.meta.dirname, '../../..', RUNNER), 'utf8');
  const list = /const HARDENING = \[\n([\s\S]*?)\] as const;/.exec(source)?.[1] ?? '';
  const head = 'const HARDENING = [\n';
  return [...list.matchAll(/^ {2}'([^']+)',$/gm)].map(([line, setting = '']) => {
    // Some are in the list for what runs inside too: the cut is of this list alone.
    return rule(`git outside: ${setting}`, [RUNNER, `${head}${list}`, `${head}${list.replace(`${line}\n`, '')}`], HARDENING, {
      only: 'is ours whatever',
    });
  });
}

const runner: Rule[] = [
  rule(
    'git outside: an environment without GIT_ and the like',
    [RUNNER, '/^(GIT_|SSH_ASKPASS|LD_|LC_|LANG|LANGUAGE|PAGER|EDITOR|VISUAL|NODE_|PREFIX$)/', '/^(?!)/'],
    HARDENING,
    { only: 'environment' },
  ),
  rule(
    'git outside: asks nobody',
    [RUNNER, "GIT_TERMINAL_PROMPT: '0', GIT_PAGER: 'cat', GIT_EDITOR: 'true', GIT_ASKPASS: '', ", ''],
    HARDENING,
    { only: 'environment' },
  ),
  rule('git outside: no replaced objects', [RUNNER, "  env['GIT_NO_REPLACE_OBJECTS'] = '1';\n"], HARDENING, { only: 'replaced objects' }),
  rule('git outside: the person’s settings only when asked for', [RUNNER, "    env['GIT_CONFIG_GLOBAL'] = '/dev/null';\n"], HARDENING, {
    only: 'own settings count',
  }),
  rule(
    'git outside: absolute git directories',
    [RUNNER, "  if (!isAbsolute(request.gitDir)) throw new Failure('git-failed', `Not an absolute git directory: ${request.gitDir}`);\n"],
    HARDENING,
    { only: 'replaced objects' },
  ),
  rule(
    'git inside: ended where it only waits',
    [RUNNER, 'export const STALLED = 15;', 'export const STALLED = 0;'],
    ['test/workspace/waiting.test.ts'],
  ),
];

const store: Rule[] = [
  rule('settings: by a list of what may be copied', [STORE, 'if (PLAIN.test(key) || more.test(key))', "if (key !== '')"], HARDENING, {
    only: 'none that runs',
  }),
  rule(
    'settings: addresses without credentials',
    [STORE, 'settings.push([key, withoutCredentials(value)])', 'settings.push([key, value])'],
    HARDENING,
    { only: 'none that runs' },
  ),
  rule(
    'settings: values that stay values',
    [STORE, "const quoted = value.replaceAll('\\\\', '\\\\\\\\').replaceAll('\"', '\\\\\"')", 'const quoted = value'],
    HARDENING,
    { only: 'break out' },
  ),
  rule('refs: not those of other tasks', [STORE, " || name.startsWith('refs/heads/signalbox/')"], HARDENING, {
    only: 'branches of other tasks',
  }),
  rule(
    'objects of the repository read-only',
    [STORE, "target: `${OBJECTS}/${index}`, access: 'read' }", "target: `${OBJECTS}/${index}`, access: 'write' }"],
    ['test/sandbox/suite/escapes.test.ts'],
    { only: 'the real objects' },
  ),
  rule(
    'the pointer to git read-only',
    ['agent-core/workspace/machine.ts', "return [{ source: copy, target: pointer, access: 'read' }];", 'return [];'],
    ['test/sandbox/suite/escapes.test.ts'],
    { only: 'the pointer to the git directory' },
  ),
  rule(
    'the pointer to git is a file',
    ['agent-core/workspace/machine.ts', '        (stat) => !stat.isFile(),', '        () => false,'],
    ['test/workspace/waiting.test.ts'],
  ),
  rule('names in the index', ['agent-core/git/index-file.ts', ' || !isSafeName(name, mode)', ''], ['test/git/index-file.test.ts'], {
    only: 'as a whole',
  }),
];

const ATTACKS = ['test/workspace/attacks.test.ts'];
const HARVEST = 'agent-core/git/harvest.ts';
const guarded = "const GUARDED = ['config', 'hooks', 'info', 'commondir'];";

const kinds: Rule[] = [
  rule(
    'kinds: submodules of an agent’s making are left alone by the person’s git',
    [
      HARVEST,
      "adminFile(place, 'index'),\n      markLinks(checked, hash, () => true),",
      "adminFile(place, 'index'),\n      checked.bytes,",
    ],
    ATTACKS,
    { only: '(nested repository|submodule), mounted' },
  ),
  rule(
    'kinds: without mounts they are left alone too',
    [HARVEST, 'if (marked !== checked.bytes) await', 'if (marked === null) await'],
    ATTACKS,
    { only: '(nested repository|submodule), without mounts' },
  ),
  ...['config', 'hooks', 'commondir'].map((name) =>
    rule(
      `kinds: without mounts, ${name} read-only`,
      [STORE, guarded, guarded.replace(`'${name}', `, '').replace(`, '${name}'`, '')],
      ATTACKS,
      {
        only: `${name}, without mounts`,
      },
    ),
  ),
];

export const GIT: Rule[] = [...switches(), ...runner, ...store, ...kinds];
