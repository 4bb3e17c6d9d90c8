import { plainWords, splitPlain } from './words.ts';

/**
 * "A command that begins with these words may run outside the sandbox." A rule never lets through a shell, an
 * interpreter, a launcher of other programs, something that runs what the worktree holds, or a program named by a
 * path: with any of these, its first words say nothing about what will happen.
 */

const launchers = new Set(
  (
    'sh bash zsh dash ash fish ksh mksh csh tcsh rbash busybox toybox pwsh powershell cmd ' +
    'node deno bun ts-node tsx ruby irb perl php lua luajit R Rscript julia java groovy scala kotlin ghci runghc tclsh wish expect osascript awk gawk mawk nawk sed ed ex vi vim nvim emacs ' +
    'env sudo doas su runuser pkexec chroot unshare nsenter setpriv xargs parallel find fd watch entr nohup time timeout nice ionice chrt taskset setsid stdbuf script strace ltrace gdb lldb flock ' +
    'eval exec command builtin source . alias function if for while until case select { ( [ [[ ! coproc trap ' +
    'ssh scp rsync socat nc ncat netcat telnet tmux screen at batch crontab systemd-run launchctl dbus-send ' +
    'npm npx pnpm pnpx yarn bunx corepack make gmake cmake ninja meson bazel just task rake gradle gradlew mvn ant sbt cargo go dotnet swift msbuild mix rebar3 stack cabal ' +
    'pip pip3 pipx uv uvx poetry pytest tox nox vitest jest mocha playwright bundle gem composer docker podman nerdctl kubectl helm vagrant terraform ' +
    'less more man psql mysql sqlite3 mongosh gnuplot octave ' +
    'rm rmdir dd mkfs shred chmod chown chattr mount umount tee install ln cp mv tar unzip git-shell'
  ).split(' '),
);
const interpreter = /^(python|pypy|node|ruby|perl|php|lua|tclsh|wish)[\d.]*(-?config)?$/i;

/** git itself runs programs when asked to; only commands whose first words say enough may be remembered. */
const gitCommands = new Set(['push', 'fetch', 'ls-remote', 'status', 'log', 'show', 'diff', 'tag', 'branch', 'remote']);
const gitRuns = /^(--upload-pack|--receive-pack|--exec|-c$|--config|--ext-diff|--textconv|-O|--open-files|--output|ext::|--config-env)/;

const mayBeRemembered = (words: readonly string[]): boolean => {
  const [program, verb] = words;
  if (!program || program.includes('/') || program.includes('=') || program.startsWith('-')) return false;
  if (launchers.has(program) || interpreter.test(program)) return false;
  return program !== 'git' || (verb !== undefined && gitCommands.has(verb));
};
const sneaks = (argv: readonly string[]): boolean => argv[0] === 'git' && argv.some((word) => gitRuns.test(word));

/** Whether one of the saved prefixes covers a command: its words, or the line as it would be given to a shell. */
export function ruleAllows(prefixes: readonly (readonly string[])[], command: string | readonly string[]): boolean {
  const argv = typeof command === 'string' ? plainWords(command) : command;
  if (!argv || !mayBeRemembered(argv) || sneaks(argv)) return false;
  return prefixes.some(
    (prefix) => mayBeRemembered(prefix) && prefix.length <= argv.length && prefix.every((word, at) => word === argv[at]),
  );
}

/**
 * Whether a saved refusal covers a command line: one of its commands begins with the words, as far as its commands can
 * be told apart. The strictest rule wins, so this is asked first; whatever it misses is still asked about or kept inside.
 */
export function ruleRefuses(prefixes: readonly (readonly string[])[], line: string): boolean {
  const commands = splitPlain(line) ?? line.split(/[;&|\n(){}`]|\$\(/).map((part) => part.trim().split(/\s+/));
  return commands.some((words) => prefixes.some((prefix) => prefix.length > 0 && prefix.every((word, at) => word === words[at])));
}

/** The words of a refusal for this command: any program's, since it only takes away. Null where it is no plain command. */
export function refusalPrefix(argv: readonly string[] | null): string[] | null {
  if (!argv?.length) return null;
  return /^[a-z][a-z-]*$/.test(argv[1] ?? '') ? argv.slice(0, 2) : argv.slice(0, 1);
}

/** Says more than which program: a subcommand, a name or a place among its words. `cat` alone would stand for every file. */
const saysEnough = (prefix: readonly string[]): boolean => prefix.slice(1).some((word) => !word.startsWith('-'));

/**
 * The words that a rule for this command would match: those the model proposes if they are its beginning and say enough,
 * else the program and its subcommand, else the whole command as it stands. Null when no rule may be saved: not a single
 * plain command, or not one to be remembered.
 */
export function suggestPrefix(command: string, proposed?: readonly string[]): string[] | null {
  const argv = plainWords(command);
  if (!argv || sneaks(argv)) return null;
  const begins = proposed?.length && proposed.length <= argv.length && proposed.every((word, at) => word === argv[at]);
  const own = /^[a-z][a-z-]*$/.test(argv[1] ?? '') ? argv.slice(0, 2) : argv;
  const prefix = begins && saysEnough(proposed) ? [...proposed] : own;
  return mayBeRemembered(prefix) ? prefix : null;
}
