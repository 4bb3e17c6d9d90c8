/** A small generator of its own, so that a seed says everything. */
export class Random {
  #state: number;
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }
  /** From 0 up to, not with, `below`. */
  int(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % below;
  }
  pick<T>(from: readonly T[]): T {
    return from[this.int(from.length)] as T;
  }
}

const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

const NAMES = [
  'a.txt',
  'src/a.txt',
  'with space',
  'new\nline',
  '\u001b[31mred',
  '-rf',
  '--output=x',
  '"quoted"',
  "it's",
  'é',
  '\t',
  '..x',
  '.gitx',
  'n/e/s/t',
  ':!magic',
  '*',
  'CON',
  '$(touch x)',
  '`id`',
  '\u202egnp',
  '#hash',
  '\\back',
  '.GIT',
  'git~1',
  '.git\u200c',
];
const COMMAND = 'sh -c "touch $1; cat"';
/** Settings by which git runs a program. */
const SETTINGS = [
  'core.fsmonitor',
  'core.sshCommand',
  'core.hooksPath',
  'core.editor',
  'core.pager',
  'core.askPass',
  'core.alternateRefsCommand',
  'core.gitProxy',
  'diff.external',
  'diff.e.textconv',
  'diff.e.command',
  'filter.e.clean',
  'filter.e.smudge',
  'filter.e.process',
  'merge.e.driver',
  'merge.tool',
  'mergetool.e.cmd',
  'gpg.program',
  'gpg.ssh.program',
  'gpg.ssh.defaultKeyCommand',
  'credential.helper',
  'uploadpack.packObjectsHook',
  'sequence.editor',
  'interactive.diffFilter',
  'pager.status',
  'alias.status',
  'alias.diff',
  'trailer.x.cmd',
  'remote.origin.vcs',
  'remote.origin.uploadpack',
  'submodule.s.update',
  'protocol.ext.allow',
  'url.ext::sh.insteadOf',
  'extensions.worktreeConfig',
  'include.path',
  'includeIf.gitdir:/.path',
  'core.worktree',
  'core.attributesFile',
  'core.excludesFile',
  'commit.gpgSign',
  'log.showSignature',
  'core.bare',
  'extensions.partialClone',
  'remote.origin.promisor',
  'fetch.bundleURI',
  'man.viewer',
  'browser.x.cmd',
  'gui.x',
  'safe.bareRepository',
  'safe.directory',
];
const HOOKS = [
  'pre-commit',
  'post-commit',
  'post-checkout',
  'post-merge',
  'reference-transaction',
  'post-index-change',
  'pre-receive',
  'update',
  'post-receive',
  'pre-push',
  'fsmonitor-watchman',
  'pre-auto-gc',
  'post-rewrite',
  'push-to-checkout',
  'proc-receive',
];

/** A way in which an agent changes its worktree and what git believes of it. `$1` is a file on the host that only code outside can make. */
type Mutation = (random: Random) => string;

const inRepository = (name: string, more: string) =>
  `git init -q ${quote(name)} && cd ${quote(name)} && git config user.email a@b && git config user.name a && echo x > f && ${more}`;

export const MUTATIONS: Record<string, Mutation> = {
  write: (r) => `mkdir -p -- "$(dirname -- ${quote(`./${r.pick(NAMES)}`)})"; echo ${r.int(1e6)} >> ${quote(`./${r.pick(NAMES)}`)}`,
  remove: (r) => `rm -rf -- ${quote(`./${r.pick(NAMES)}`)}`,
  commit: () => 'git add -A; git commit -qm work --no-verify',
  amend: () => 'git commit -q --amend --allow-empty -m again --no-verify',
  branch: (r) => `git checkout -q -B ${r.pick(['side', 'main', 'signalbox/other', 'x/y/z'])}`,
  detach: () => 'git checkout -q --detach',
  setting: (r) => `git config --file "$C/config" ${quote(r.pick(SETTINGS))} ${quote('')}"$(printf '%s' '${COMMAND}' | sed "s|[$]1|$1|")"`,
  'setting of the worktree': (r) =>
    `git config --file "$C/config" extensions.worktreeConfig true; git config --file "$A/config.worktree" ${quote(r.pick(SETTINGS))} "touch $1"`,
  'settings from a file': () =>
    'printf "[core]\\n\\tfsmonitor = touch %s\\n" "$1" > evil.cfg; git config --file "$C/config" include.path "$W/evil.cfg"',
  hook: (r) => `printf '#!/bin/sh\\ntouch %s\\n' "$1" > "$C/hooks/${r.pick(HOOKS)}"; chmod +x "$C"/hooks/*`,
  'hooks in the tree': () =>
    `mkdir -p .githooks; for h in ${HOOKS.join(' ')}; do printf '#!/bin/sh\\ntouch %s\\n' "$1" > .githooks/$h; chmod +x .githooks/$h; done; git config core.hooksPath .githooks`,
  attributes: (r) =>
    `printf '* ${r.pick(['filter=e', 'diff=e', 'merge=e', 'filter=e diff=e merge=e text eol=crlf', 'working-tree-encoding=UTF-16', 'export-subst', 'ident'])}\\n' >> ${r.pick(['.gitattributes', 'src/.gitattributes', '"$C/info/attributes"'])}`,
  'git folder': () =>
    'rm -rf .git; git init -q . && git config core.fsmonitor "touch $1" && git config filter.e.clean "touch $1; cat" && git config core.worktree /',
  'pointer elsewhere': (r) =>
    `mkdir -p .evil; git init -q .evil/x; git --git-dir=.evil/x/.git config core.fsmonitor "touch $1"; rm -f .git; printf 'gitdir: %s\\n' ${r.pick(['"$W/.evil/x/.git"', '/etc', '.', '../../..', '"$C"', '/dev/stdin'])} > .git`,
  'pointer a link': (r) => `rm -f .git; ln -s ${r.pick(['/etc', '"$C"', '.', '/proc/self/root', '"$1"'])} .git`,
  commondir: (r) => `printf '%s\\n' ${r.pick(['"$W/.evil/x/.git"', '/etc', '../../../..', '/proc/self/cwd', '""'])} > "$A/commondir"`,
  gitdir: (r) => `printf '%s\\n' ${r.pick(['/etc/.git', '"$W/../x/.git"', '/dev/zero', '""'])} > "$A/gitdir"`,
  'nested repository': () =>
    `(${inRepository('nested', 'printf "* filter=e\\n" > .gitattributes; git add .; git commit -qm n; git config filter.e.clean "touch $1; cat"; git config core.fsmonitor "touch $1"; echo y > f')}); git add nested`,
  'bare repository in the tree': () =>
    'git init -q --bare bare; git --git-dir=bare config core.fsmonitor "touch $1"; git --git-dir=bare config core.worktree ..; printf "#!/bin/sh\\ntouch %s\\n" "$1" > bare/hooks/post-checkout; chmod +x bare/hooks/*',
  'the tree as a bare repository': () =>
    'mkdir -p objects refs hooks; echo "ref: refs/heads/main" > HEAD; printf "[core]\\n\\tbare = true\\n\\tfsmonitor = touch %s\\n" "$1" > config; printf "#!/bin/sh\\ntouch %s\\n" "$1" > hooks/post-checkout; chmod +x hooks/*',
  submodule: (r) =>
    `(${inRepository('sub', 'git add .; git commit -qm s; git config core.fsmonitor "touch $1"')}); printf '[submodule "%s"]\\n\\tpath = sub\\n\\turl = %s\\n\\tupdate = !touch %s\\n\\tignore = none\\n' ${r.pick(['sub', '../../x', '-u x', '../../.git/hooks'])} ${r.pick(['./sub', '"ext::sh -c touch% $1"', '-x', 'file:///etc'])} "$1" > .gitmodules; git add -A; git commit -qm sub`,
  alternates: (r) =>
    `printf '%s\\n' ${r.pick(['/etc', '"$1"', '"$W/.git"', '/proc/self/root', '../../../../../..', '"\\"/etc\\\\n\\""'])} >> "$C/objects/info/alternates"`,
  'http alternates and grafts': () =>
    'echo http://127.0.0.1:1/x > "$C/objects/info/http-alternates"; mkdir -p "$C/info"; echo "$(git rev-parse HEAD) $(git rev-parse HEAD)" > "$C/info/grafts"; git replace HEAD HEAD~1',
  'refs that are absurd': (r) =>
    `for n in ${r.pick(["'a..b' 'x.lock' '-d'", "'../../escape' 'HEAD' 'refs'", "'@{u}' 'a~1' 'new\nline'"])}; do mkdir -p "$C/refs/heads/$(dirname -- "$n")" 2>/dev/null; git rev-parse HEAD > "$C/refs/heads/$n"; done 2>/dev/null; printf 'ref: refs/heads/loop\\n' > "$C/refs/heads/loop"`,
  'HEAD that is none': (r) =>
    `printf '%s' ${r.pick(["'ref: refs/heads/../../../etc/passwd'", "'ref: refs/heads/nothing'", "'garbage'", "''", "'ref: HEAD'", "'0000000000000000000000000000000000000000'"])} > "$A/HEAD"`,
  'files of git as links': (r) =>
    `rm -f "$A/${r.pick(['HEAD', 'index', 'logs/HEAD', 'ORIG_HEAD', 'MERGE_HEAD'])}"; ln -s ${r.pick(['/etc/passwd', '"$1"', '/dev/zero', '.'])} "$A/${r.pick(['HEAD', 'index', 'MERGE_HEAD'])}"`,
  'files of git as pipes': (r) => `f="$A/${r.pick(['HEAD', 'index', 'commondir'])}"; rm -f "$f"; mkfifo "$f"`,
  'packed refs': (r) =>
    `rm -rf "$C/packed-refs"; ${r.pick(['mkfifo "$C/packed-refs"', 'ln -s /etc/passwd "$C/packed-refs"', 'head -c 3000000 /dev/urandom > "$C/packed-refs"', 'mkdir "$C/packed-refs"'])}`,
  'a broken index': (r) =>
    `${r.pick(['head -c 4000 /dev/urandom > "$A/index"', 'truncate -s 40 "$A/index"', 'printf "DIRC\\0\\0\\0\\2\\377\\377\\377\\377" > "$A/index"', 'rm "$A/index"'])}`,
  locks: () => 'touch "$A/index.lock" "$C/packed-refs.lock" "$C/config.lock" "$A/HEAD.lock"',
  'the store emptied': (r) => `rm -rf "$C/${r.pick(['objects', 'refs', 'worktrees', 'config', 'HEAD'])}"`,
  'a deep tree': () => 'd=deep; for i in $(seq 300); do d=$d/d; done; mkdir -p "$d"; echo x > "$d/f"',
  'a wide tree': () => 'mkdir -p wide; i=0; while [ $i -lt 3000 ]; do : > wide/$i; i=$((i+1)); done',
  'a path beyond the longest': () => `perl -e 'for (1..40) { mkdir("l" x 200); chdir("l" x 200) } open(F, ">f")'`,
  'a huge sparse file': () => 'truncate -s 3G sparse; printf "sparse\\n" >> .gitignore',
  'a huge line': () => 'head -c 3000000 /dev/zero | tr "\\0" x > line',
  'links everywhere': (r) =>
    `ln -sfn ${r.pick(['"$OUT"', '/', '/etc', '..', 'loop', '/proc/self/root', '"$OUT/secret.txt"'])} ${r.pick(['link', 'src', 'loop', '.gitignore', '.gitattributes', '.gitmodules', '.worktreeinclude', 'AGENTS.md'])}`,
  'pipes, sockets and devices': () =>
    `mkfifo pipe 2>/dev/null; perl -e 'use Socket; socket(S,AF_UNIX,SOCK_STREAM,0); bind(S, sockaddr_un("socket"))'; mkfifo .gitattributes 2>/dev/null; mkfifo AGENTS.md 2>/dev/null`,
  unreadable: () => 'mkdir -p shut; echo x > shut/f; chmod 000 shut; echo y > locked; chmod 000 locked',
  'case and Unicode twins': () =>
    'echo a > File; echo b > file; printf c > "e\\314\\201"; printf d > "\\303\\251"; printf e > "$(printf "\\377\\376")"',
  'a swap that goes on': () =>
    `mkdir -p swap; echo x > swap/f; setsid perl -e 'for (1..400000) { rename("swap","swap.d"); symlink("$ENV{OUT}","swap"); unlink("swap"); rename("swap.d","swap") }' >/dev/null 2>&1 &`,
  'a file that never ends': () =>
    'setsid sh -c "i=0; while [ $i -lt 200000 ]; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; i=$((i+1)); done >> grows" >/dev/null 2>&1 &',
  'a git that holds its lock': () => 'setsid sh -c "touch \\"$A/index.lock\\"; sleep 2; rm -f \\"$A/index.lock\\"" >/dev/null 2>&1 &',
  'partial clone': () =>
    'git config --file "$C/config" extensions.partialClone origin; git config --file "$C/config" remote.origin.promisor true; git config --file "$C/config" remote.origin.url "ext::sh -c touch% $1"; rm -f "$C"/objects/??/* 2>/dev/null',
  'a bisect, rebase and merge half-way': () =>
    'git checkout -q -B half; echo h > h; git add h; git commit -qm h --no-verify; git rebase -q -x "touch $1" HEAD~1; mkdir -p "$A/rebase-merge"; echo "exec touch $1" > "$A/rebase-merge/git-rebase-todo"',
  'objects that lie': () => 'for d in "$C"/objects/??; do for f in "$d"/*; do chmod u+w "$f"; echo x > "$f"; done; break; done',
};

export interface Step {
  name: string;
  line: string;
}

/** A random sequence; the same for the same seed. */
export function sequence(seed: number, length: number): Step[] {
  const random = new Random(seed);
  const names = Object.keys(MUTATIONS);
  return Array.from({ length }, () => {
    const name = random.pick(names);
    return { name, line: (MUTATIONS[name] as Mutation)(random) };
  });
}
