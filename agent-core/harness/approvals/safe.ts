import { splitPlain } from './words.ts';

/** Commands that only look: under "untrusted" they run without asking. The list is that of HARNESS facts 1.8. */

const always = new Set(
  'cat cd cut echo expr false grep head id ls nl numfmt paste pwd rev seq stat tac tail tr true uname uniq wc which whoami'.split(' '),
);
const gitLooks = new Set(['status', 'log', 'diff', 'show', 'branch']);

const guarded: Record<string, (args: string[]) => boolean> = {
  base64: (args) => !args.some((arg) => /^(-o|--output)/.test(arg)),
  find: (args) => !args.some((arg) => /^-(exec|execdir|ok|okdir|delete|fls|fprint|fprint0|fprintf)$/.test(arg)),
  rg: (args) => !args.some((arg) => /^(--pre|--hostname-bin|--search-zip|-z)/.test(arg)),
  git: ([verb, ...args]) =>
    gitLooks.has(verb ?? '') &&
    !args.some((arg) => /^(--output|--ext-diff|--textconv|--exec|-o|-O|--no-index)/.test(arg)) &&
    (verb !== 'branch' || args.every((arg) => /^(-a|-r|-v|-vv|--list|--show-current|--all|--verbose)$/.test(arg))),
  sed: (args) => args.length <= 3 && args[0] === '-n' && /^\d+(,\d+)?p$/.test(args[1] ?? '') && !args[2]?.startsWith('-'),
};

/** Whether every part of the line is known to change nothing. A line that isn't plain words is not known. */
export function knownSafe(line: string): boolean {
  const commands = splitPlain(line);
  return (
    commands !== null &&
    commands.every(([program = '', ...args]) => always.has(program) || (Object.hasOwn(guarded, program) && guarded[program]!(args)))
  );
}
