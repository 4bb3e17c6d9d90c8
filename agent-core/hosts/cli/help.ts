/** Each command's grammar, as it is shown after a mistake. */
export const USAGE = {
  open: 'signalbox [DIR]',
  serve: 'signalbox serve [DIR] [--port N] [--open] [--json]',
  exec: 'signalbox exec [--json] [--repo DIR] [--base REF] [--mode read-only|workspace|ask|full] [--approval never|on-request|untrusted] [--in-place] [--model M] [--allow-host PATTERN]… PROMPT',
  batch: 'signalbox batch [--json] FILE.jsonl [--concurrency N] [--allow-host PATTERN]…',
  sandbox: 'signalbox sandbox [--cwd DIR] [--mode M] [--allow-host PATTERN]… -- CMD…',
  'apply-patch': 'signalbox apply-patch [DIR] < PATCH',
  git: 'signalbox git ARGS…',
  harvest: 'signalbox harvest [--cwd DIR] [--json]',
  transcript:
    'signalbox transcript export TASK [--format markdown|jsonl] [-o FILE] · signalbox transcript import FILE.jsonl [--repo DIR] [--json]',
  doctor: 'signalbox doctor [--json]',
} as const;

export const HELP = `Signalbox runs many coding agents at once, each in its own worktree and its own sandbox.

${USAGE.open}
    Open the app on DIR's project: a window where Electron runs, else the browser.
${USAGE.serve}
    The app in a browser, over loopback. Prints its address, or {"url": …} with --json.
${USAGE.exec}
    Run one task to its end, in a worktree of its own. PROMPT may be - to read it from stdin.
${USAGE.batch}
    Run many: a line is {"prompt": …, "title"?: …, "repo"?: …, "base"?: …, "dependsOn"?: […]}.
    dependsOn names other lines by their title, or by their number counted from 1.
${USAGE.sandbox}
    Run a command under the policy of the workspace that DIR is in.
${USAGE['apply-patch']}
    Apply a patch in the apply_patch format to a folder.
${USAGE.git}
    Git by Signalbox's own rules: inside the sandbox in a workspace, hardened elsewhere.
${USAGE.harvest}
    Bring a workspace's branch, as it is inside the sandbox, into the repository.
${USAGE.transcript}
    A task's conversation as a file, without secrets; a JSONL one comes back as a new task. TASK is its id, title or branch.
${USAGE.doctor}
    What works on this machine, and what to do about the rest.

--json prints JSON lines on stdout and nothing else there. Errors go to stderr.
Exit: 0 done · 1 the task or command failed · 2 bad usage or input · 3 the sandbox could not confine
      4 the model could not be reached or refused
Environment: SIGNALBOX_HOME, OPENAI_API_KEY, OPENAI_BASE_URL, SIGNALBOX_MODEL, SIGNALBOX_WIRE (responses or chat)`;
