import type { ApprovalPolicy, Mode } from '../../agent-core/contract/index.ts';

/** What a mode and a policy mean, in words a person can choose by. */
export const MODES: readonly { id: Mode; label: string; hint: string }[] = [
  { id: 'workspace', label: 'Work in the sandbox', hint: 'Reads and writes its own worktree; no network, nothing else of this machine.' },
  { id: 'read-only', label: 'Read only', hint: 'Looks and answers; changes nothing.' },
  { id: 'ask', label: 'Ask for everything', hint: 'Works in the sandbox, and asks before each command and each patch.' },
  { id: 'full', label: 'Full access, no sandbox', hint: 'Runs as you, with your files, keys and network. Nothing holds it back.' },
];
export const POLICIES: readonly { id: ApprovalPolicy; label: string; hint: string }[] = [
  { id: 'on-request', label: 'When it asks', hint: 'The agent asks when it wants out of the sandbox.' },
  { id: 'untrusted', label: 'For every command', hint: 'Only commands known to be harmless run unasked.' },
  { id: 'never', label: 'Never', hint: 'Whatever the sandbox blocks stays blocked; nobody is asked.' },
];
