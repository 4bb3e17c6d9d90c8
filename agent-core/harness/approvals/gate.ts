import type { ItemOf } from '../../contract/index.ts';
import type { Call } from '../tools/types.ts';
import { runsOwnFile } from './own-files.ts';
import { ruleAllows, suggestPrefix } from './rules.ts';
import { knownSafe } from './safe.ts';
import { plainWords } from './words.ts';

/** Whether a command may run, and where; or why not, in words for the model. */
export type Gate =
  | { go: true; outside: boolean; /** What to run instead of a shell with the line. */ argv: string[] | null; item: ItemOf<'command'> }
  | { go: false; why: string };

interface Asked {
  cmd: string;
  sandbox_permissions?: string | null | undefined;
  justification?: string | null | undefined;
  prefix_rule?: string[] | null | undefined;
}

const byPerson = (note: string): string => (note.trim() ? `rejected by user: ${note.trim()}` : 'rejected by user');

/** Decides about one command by the mode, the approval policy and the saved rules; asks the person where they want it. */
export async function gate(args: Asked, call: Call, item: ItemOf<'command'>): Promise<Gate> {
  const { mode, approval } = call.input;
  if (args.sandbox_permissions === 'require_escalated' && mode !== 'full') return escalate(args, call, item);
  const asks = mode === 'ask' || (approval === 'untrusted' && !knownSafe(args.cmd));
  if (!asks) return { go: true, outside: false, argv: null, item };
  if (approval === 'never')
    return { go: false, why: 'this task asks before each command, but nobody is there to ask (approval policy: never)' };
  const { decision, note } = await call.host.approve({
    itemId: item.id,
    kind: 'command',
    subject: args.cmd,
    argv: plainWords(args.cmd),
    cwd: item.cwd,
    reason: args.justification ?? '',
    effect: 'Runs this command once, in the sandbox.',
    prefix: null,
    callId: call.id,
  });
  return decision === 'approved' ? { go: true, outside: false, argv: null, item } : { go: false, why: byPerson(note) };
}

async function escalate(args: Asked, call: Call, item: ItemOf<'command'>): Promise<Gate> {
  const { approval } = call.input;
  const argv = plainWords(args.cmd);
  if (call.host.ruleRefuses?.(args.cmd))
    return { go: false, why: 'the person never allows this outside the sandbox (a saved rule). Do without' };
  const { worktree, stateDir } = call.input.machine.spec;
  const own = await runsOwnFile(args.cmd, { cwd: item.cwd, worktree, stateDir });
  if (own !== null)
    return {
      go: false,
      why: `it would run ${own}, which was written inside the sandbox: such files run inside only. Run it without escalating, or name the programs themselves`,
    };
  // Run as the very words that the rule was held against: no shell gets to read them differently.
  if (argv && ruleAllows([argv], argv) && call.host.ruleAllows(argv)) return { go: true, outside: true, argv, item };
  if (approval === 'never') {
    return {
      go: false,
      why: 'nothing may run outside the sandbox in this task and nobody is there to ask (approval policy: never). Do without, or say in your answer what a person should run',
    };
  }
  const prefix = suggestPrefix(args.cmd, args.prefix_rule ?? undefined);
  const { decision, note } = await call.host.approve({
    itemId: item.id,
    kind: 'escalate',
    subject: args.cmd,
    argv,
    cwd: item.cwd,
    reason: args.justification ?? '',
    effect: `Runs this command once, outside the sandbox, as you: with your network, your files and your keys.${readsWorktree(argv)}`,
    prefix,
    callId: call.id,
  });
  // The very words that the person read. What only a shell knows by name it must run.
  const exact = argv && !builtins.has(argv[0]!) ? argv : null;
  return decision === 'approved' ? { go: true, outside: true, argv: exact, item } : { go: false, why: byPerson(note) };
}

const builtins = new Set(
  'alias bg break cd command continue declare dirs disown eval exec exit export fg getopts hash help history jobs let local popd pushd read readonly return set shift source trap type typeset ulimit umask unalias unset wait . : [['.split(
    ' ',
  ),
);

/** Programs that do what files of the worktree say, which their words don't show. */
const followsFiles =
  /^(npm|npx|pnpm|pnpx|yarn|bun|bunx|deno|make|gmake|cmake|ninja|meson|bazel|just|task|rake|gradle|mvn|ant|sbt|cargo|go|dotnet|swift|mix|stack|cabal|pip3?|pipx|uv|uvx|poetry|pytest|tox|nox|vitest|jest|playwright|bundle|gem|composer|docker|podman|terraform|vagrant)$/;
const readsWorktree = (argv: string[] | null): string =>
  argv === null
    ? ' A shell reads the whole line.'
    : followsFiles.test(argv[0]!)
      ? ` What ${argv[0]} does is up to files of the worktree, which the agent may have written.`
      : '';

/**
 * Whether the model may type into a command that runs outside the sandbox: the person allowed the command, not what
 * may be made of it. Null, or why not in words for the model. Ctrl-C needs no one's leave.
 */
export async function typingGate(
  chars: string,
  running: { command: string; cwd: string; itemId: ItemOf<'command'>['id'] },
  call: Call,
): Promise<string | null> {
  if (chars === '\u0003' || call.input.mode === 'full') return null;
  if (call.input.approval === 'never')
    return 'this command runs outside the sandbox and nobody is there to allow what is typed into it (approval policy: never)';
  const { decision, note } = await call.host.approve({
    itemId: running.itemId,
    kind: 'escalate',
    subject: chars,
    argv: null,
    cwd: running.cwd,
    reason: `To be typed into: ${running.command}`,
    effect: 'Types this into a command that runs outside the sandbox, as you.',
    prefix: null,
  });
  return decision === 'approved' ? null : byPerson(note);
}
