/**
 * Files that programs of the person run, or take programs to run from, by themselves: because a folder is opened in an
 * editor or an agent, because a shell steps into it, or because git runs its hooks there. Looked for at a worktree's root,
 * in the project's own folder, and between the two.
 *
 * Not in the list, with intent: what a tool runs only after the person started that very tool (Makefile, package.json,
 * build scripts, .npmrc); what an editor's language tools load once the folder is trusted (node_modules, .venv, linter and
 * build configuration): agents must be able to change these, and such editors ask first; words for agents (AGENTS.md,
 * CLAUDE.md, .cursorrules), which name no command; git's own files, which the session store and the read-only `.git` keep.
 */
interface Runner {
  /** Names below a folder; `*.ext` stands for any beginning. */
  names: string;
  /** Ends “… runs by itself: ”. */
  why: string;
}

const runners: readonly Runner[] = [
  { names: '.vscode *.code-workspace', why: 'VS Code takes tasks, tool paths and MCP servers from it when the folder is opened' },
  { names: '.devcontainer .devcontainer.json', why: 'editors run its commands on this computer when they make the container' },
  { names: '.idea .run .fleet', why: 'JetBrains editors take run configurations, watchers and start-up tasks from it' },
  { names: '.zed .helix', why: 'the editor starts the language servers and tasks that it names' },
  { names: '.exrc .vimrc .nvimrc .nvim.lua .lvimrc .vim', why: 'Vim and its plugins may run it when they start in the folder' },
  { names: '.dir-locals.el .dir-locals-2.el', why: 'Emacs evaluates it when a file of the folder is opened' },
  { names: '*.sublime-project', why: 'Sublime Text starts the language servers and builds that it names' },
  { names: '.project .externalToolBuilders', why: 'Eclipse and its language server run the builders that it names' },
  { names: '.Rprofile .RData', why: 'R runs it whenever it starts in the folder' },
  { names: '.envrc .autoenv .autoenv.zsh .autoenv_leave.zsh .rvmrc', why: 'the shell runs it when it steps into the folder' },
  {
    names: 'mise.toml mise.local.toml .mise.toml .mise.local.toml .mise .config/mise .config/mise.toml .tool-versions',
    why: 'mise and asdf take hooks, variables and programs from it when the shell steps into the folder',
  },
  { names: '.husky .githooks .git-hooks', why: 'git runs the hooks in it' },
  {
    names:
      'lefthook.yml lefthook.yaml lefthook.toml lefthook.json lefthook-local.yml lefthook-local.yaml lefthook-local.toml lefthook-local.json ' +
      '.lefthook.yml .lefthook.yaml .lefthook.toml .lefthook.json .lefthook-local.yml .lefthook .lefthook-local .config/lefthook.yml .config/lefthook.yaml ' +
      '.pre-commit-config.yaml .pre-commit-config.yml prek.toml .overcommit.yml',
    why: 'git’s hooks run the commands that it names',
  },
  { names: '.mcp.json .claude .codex .cursor .gemini .agents', why: 'coding agents take hooks, MCP servers and skills from it' },
  {
    names:
      '.aider.conf.yml .amazonq .amp .augment .clinerules .cline .continue .crush.json crush.json .factory .github/hooks .junie .kilocode ' +
      '.kiro .opencode opencode.json opencode.jsonc .pi .qwen .roo .trae .vibe .windsurf',
    why: 'coding agents take commands, hooks or MCP servers from it',
  },
];

/** On these a name is the same in capitals. */
const folded = process.platform === 'darwin' || process.platform === 'win32';
const fold = (name: string): string => (folded ? name.toLowerCase() : name);

const exact = new Map<string, string>();
const endings: [ending: string, why: string][] = [];
/** Names with a folder before them, such as `.github/hooks`. */
export const nested: readonly string[] = runners.flatMap(({ names }) => names.split(' ').filter((name) => name.includes('/')));
for (const { names, why } of runners) {
  for (const name of names.split(' ')) {
    if (name.startsWith('*')) endings.push([fold(name.slice(1)), why]);
    else exact.set(fold(name), why);
  }
}

/** Why the entry of this name in a guarded folder is guarded; null where it is not. */
export function runBy(name: string): string | null {
  const own = fold(name);
  return exact.get(own) ?? endings.find(([ending]) => own.length > ending.length && own.endsWith(ending))?.[1] ?? null;
}

/** Whether a guarded path is one of a kind of which there may be any number. */
export const endless = (path: string): boolean =>
  !exact.has(fold(path.slice(path.lastIndexOf('/') + 1))) && runBy(path.slice(path.lastIndexOf('/') + 1)) !== null;

/** The same for a path at any depth, by its components: for what a landing would bring in. */
export function hostRun(path: string): string | null {
  const parts = path.split('/');
  for (let at = 0; at < parts.length; at++) {
    const why = runBy(parts[at]!) ?? (at + 1 < parts.length ? runBy(`${parts[at]}/${parts[at + 1]}`) : null);
    if (why) return why;
  }
  return null;
}

/** The guarded folders of a worktree: its root, the project's folder, and those between. */
export function guardedFolders(subdir: string): string[] {
  const parts = subdir.split('/').filter(Boolean);
  return ['', ...parts.map((_, at) => parts.slice(0, at + 1).join('/'))];
}
