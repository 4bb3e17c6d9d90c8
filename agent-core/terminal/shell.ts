import { basename } from 'node:path';

/** A prompt that is the same everywhere: the folder's name, then $ — a worktree's path is long. */
const bashRc = String.raw`PS1='\[\e[1;34m\]\W\[\e[0m\] $ '; [ -f ~/.bashrc ] && . ~/.bashrc; true`;

/** Starts the first shell that exists inside; each as a person expects it, with no dotfiles of theirs there. */
const script = String.raw`
for shell in "$@"; do
  [ -x "$shell" ] || continue
  case "$shell" in
    */bash) exec "$shell" -c 'exec "$0" --rcfile <(printf "%s\n" "$SIGNALBOX_RC") -i' "$shell" ;;
    */zsh) [ -f ~/.zshrc ] && exec "$shell" -i; PS1='%B%F{blue}%1~%f%b %# ' exec "$shell" -f -i ;;
    *) exec "$shell" -i ;;
  esac
done
PS1='$ ' exec sh -i
`;

const known = new Set(['bash', 'zsh', 'fish', 'sh', 'dash', 'ksh', 'mksh']);

/** What a terminal runs: the person's shell (absolute path of a known one) if it exists inside, else bash, else sh. */
export function shellCommand(shell: string | undefined): { argv: string[]; env: Record<string, string> } {
  const own = shell?.startsWith('/') && known.has(basename(shell)) ? [shell] : [];
  return {
    argv: ['/bin/sh', '-c', script, 'sh', ...own, '/bin/bash', '/usr/bin/bash'],
    env: { TERM: 'xterm-256color', COLORTERM: 'truecolor', TERM_PROGRAM: 'Signalbox', SIGNALBOX_RC: bashRc },
  };
}

/** What an action of the recipe runs: its line by bash where that exists inside, else by sh. */
export function actionCommand(command: string): { argv: string[]; env: Record<string, string> } {
  const run = '[ -x /bin/bash ] && exec /bin/bash -c "$1"; exec /bin/sh -c "$1"';
  return {
    argv: ['/bin/sh', '-c', run, 'sh', command],
    env: { TERM: 'xterm-256color', COLORTERM: 'truecolor', TERM_PROGRAM: 'Signalbox' },
  };
}

/** The person's own shell as they know it, with their own settings: for a terminal outside the sandbox. */
export function ownShell(shell: string | undefined): { argv: string[]; env: Record<string, string> } {
  const own = shell?.startsWith('/') && known.has(basename(shell)) ? shell : '/bin/sh';
  return { argv: [own, '-l'], env: { TERM: 'xterm-256color', COLORTERM: 'truecolor', TERM_PROGRAM: 'Signalbox' } };
}
