import { realpath } from 'node:fs/promises';
import { isAbsolute, relative, resolve } from 'node:path';
import { z } from 'zod';
import { Failure, type ItemOf } from '../../contract/index.ts';
import type { RunRequest } from '../../sandbox/types.ts';
import type { TurnInput } from '../types.ts';
import { gate, typingGate, type Gate } from '../approvals/gate.ts';
import { formatExec, MAX_OUTPUT_TOKENS, newChunk, truncateOutput } from './output.ts';
import { applyPatchText, heredocPatch } from './patch.ts';
import { Session } from './session.ts';
import { Rejected, type Call, type Tool, type ToolOutput } from './types.ts';

const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));
const tokens = (asked: number | null | undefined): number => clamp(Math.floor(asked ?? MAX_OUTPUT_TOKENS), 1, MAX_OUTPUT_TOKENS);

const ExecArgs = z.object({
  cmd: z.string(),
  workdir: z.string().nullish(),
  shell: z.string().nullish(),
  login: z.boolean().nullish(),
  tty: z.boolean().nullish(),
  yield_time_ms: z.coerce.number().nullish(),
  max_output_tokens: z.coerce.number().nullish(),
  sandbox_permissions: z.enum(['use_default', 'require_escalated']).nullish(),
  justification: z.string().nullish(),
  prefix_rule: z.array(z.string()).nullish(),
});
export type ExecArgs = z.infer<typeof ExecArgs>;

const StdinArgs = z.object({
  session_id: z.coerce.number().int(),
  chars: z.string().nullish(),
  yield_time_ms: z.coerce.number().nullish(),
  max_output_tokens: z.coerce.number().nullish(),
});

/** What every command finds in its environment, over the captured login environment. */
export const commandEnv = (input: TurnInput, callId: string): Record<string, string> => ({
  NO_COLOR: '1',
  TERM: 'dumb',
  LANG: 'C.UTF-8',
  LC_CTYPE: 'C.UTF-8',
  LC_ALL: 'C.UTF-8',
  COLORTERM: '',
  PAGER: 'cat',
  GIT_PAGER: 'cat',
  GH_PAGER: 'cat',
  SIGNALBOX_CI: '1',
  SIGNALBOX_THREAD_ID: input.threadId,
  SIGNALBOX_SESSION_ID: input.threadId,
  SIGNALBOX_TOOL_CALL_ID: callId,
  ...(input.mode !== 'full' && input.machine.spec.policy.network.allow.length === 0 ? { SIGNALBOX_SANDBOX_NETWORK_DISABLED: '1' } : {}),
});

function workdirOf(asked: string | null | undefined, input: TurnInput): string {
  const cwd = resolve(input.cwd, asked || '.');
  const inside = relative(input.machine.spec.worktree, cwd);
  if (inside === '..' || inside.startsWith('../') || isAbsolute(inside)) {
    throw new Rejected(`exec_command failed: workdir ${cwd} is outside the worktree ${input.machine.spec.worktree}`);
  }
  return cwd;
}

/** Outside the fence a folder that is really a link would lead a command that was allowed here to another place. */
async function mustStayInside(cwd: string, worktree: string): Promise<void> {
  const real = await realpath(cwd);
  if (real !== worktree && !real.startsWith(`${worktree}/`))
    throw new Failure('not-allowed', `${cwd} leads out of the worktree, to ${real}`);
}

const shells = new Set(['bash', 'sh', 'zsh', 'dash', 'fish']);
const shellOf = (asked: string | null | undefined): string => (asked && shells.has(asked.replace(/^.*\//, '')) ? asked : '/bin/bash');

async function start(args: ExecArgs, call: Call, allowed: Extract<Gate, { go: true }>, cwd: string): Promise<Session | string> {
  const { input, host } = call;
  const request: RunRequest = {
    argv: allowed.argv ?? [shellOf(args.shell), '-c', args.cmd],
    cwd,
    env: commandEnv(input, call.id),
    ...(input.mode === 'read-only' && !allowed.outside ? { access: 'read' as const } : {}),
    ...(args.tty ? { tty: { cols: 80, rows: 24 } } : {}),
  };
  try {
    if (allowed.outside) await mustStayInside(cwd, input.machine.spec.worktree);
    const process = await (allowed.outside ? host.runOutside(request) : input.machine.run(request));
    const session = new Session(process, { ...allowed.item, outside: allowed.outside }, args.tty === true, host);
    session.looks = request.access === 'read';
    // Nobody types into a pipe: what waits for input gets its end at once instead of hanging.
    if (!args.tty) process.endInput();
    return session;
  } catch (thrown) {
    const text = `exec_command failed: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
    call.end({ ...allowed.item, endedAt: Date.now(), status: 'failed', output: text });
    if (
      thrown instanceof Failure &&
      thrown.detail.code !== 'invalid-input' &&
      thrown.detail.code !== 'not-allowed' &&
      thrown.detail.code !== 'not-found'
    )
      throw thrown;
    return text;
  }
}

/** Waits for the end or the yield, then reports; completes or updates the item. */
async function report(session: Session, chunk: string, call: Call, wait: number, maxTokens: number): Promise<string> {
  const began = performance.now();
  const { signal } = call.input;
  session.lastUsed = began;
  const seconds = () => (performance.now() - began) / 1000;
  if (!(await session.ended(wait, signal)) && signal.aborted) {
    call.sessions.forget(session);
    await session.stop();
  }
  if (session.exitCode === null) {
    const id = session.id ?? (await call.sessions.keep(session, call.host));
    await call.host.itemUpdated(session.item());
    return formatExec({ seconds: seconds(), end: { session: id }, text: session.read().text, maxTokens, chunk });
  }
  call.sessions.forget(session);
  if (session.claim()) call.end(session.item());
  const { text } = session.read();
  if (signal.aborted) return `aborted by user after ${seconds().toFixed(1)}s\nOutput:\n${truncateOutput(text, maxTokens)}`;
  return formatExec({ seconds: seconds(), end: { exitCode: session.exitCode }, text, maxTokens, chunk });
}

function decline(item: ItemOf<'command'>, why: string, call: Call): string {
  call.end({ ...item, endedAt: Date.now(), status: 'declined', output: why });
  return `exec_command failed: CreateProcess { message: ${JSON.stringify(`Rejected(${JSON.stringify(why)})`)} }`;
}

async function exec(args: ExecArgs, call: Call): Promise<string> {
  const patch = heredocPatch(args.cmd);
  const cwd = workdirOf(patch?.dir ? resolve(call.input.cwd, args.workdir || '.', patch.dir) : args.workdir, call.input);
  if (patch) return applyPatchText(patch.text, call, cwd);
  const item: ItemOf<'command'> = {
    ...call.item('command'),
    command: args.cmd,
    cwd,
    status: 'running',
    exitCode: null,
    output: '',
    outputBytes: 0,
    sessionId: null,
    outside: false,
  };
  await call.begin(item);
  const looks = (call.input.kind ?? 'work') !== 'work';
  if (looks && args.sandbox_permissions === 'require_escalated')
    return decline(item, 'nothing runs outside the sandbox in a turn that plans or answers', call);
  const allowed = await gate(args, call, item);
  if (!allowed.go) return decline(item, allowed.why, call);
  call.input.signal.throwIfAborted();
  const session = await start(args, call, allowed, cwd);
  if (typeof session === 'string') return session;
  return report(
    session,
    session.addChunk(newChunk()),
    call,
    clamp(args.yield_time_ms ?? 10_000, 250, 30_000),
    tokens(args.max_output_tokens),
  );
}

async function write(args: z.infer<typeof StdinArgs>, call: Call): Promise<string> {
  const session = call.sessions.get(args.session_id);
  if (!session) throw new Rejected(`write_stdin failed: Unknown process id ${args.session_id}`);
  // Before it may end: who completes the item then knows it.
  const chunk = session.addChunk(newChunk());
  const chars = args.chars ?? '';
  if (chars && session.exitCode === null) {
    const why = session.outside && (await typingGate(chars, session.outside, call));
    if (why) throw new Rejected(`write_stdin failed: ${why}`);
    if (call.input.mode === 'read-only' && !session.looks && chars !== '\u0003')
      throw new Rejected(
        'write_stdin failed: this command was started when the worktree could be changed; nothing may be typed into it now',
      );
    if (session.tty) session.process.write(chars);
    else if (chars === '\u0003') await session.process.kill('interrupt');
    else throw new Rejected('write_stdin failed: stdin is closed for this session; rerun exec_command with tty=true to keep stdin open');
  }
  const wait = chars ? clamp(args.yield_time_ms ?? 250, 250, 30_000) : clamp(args.yield_time_ms ?? 5000, 5000, 300_000);
  return report(session, chunk, call, wait, tokens(args.max_output_tokens));
}

/** Parses a call's arguments, or says to the model what is wrong with them. */
export function parseArgs<T>(schema: z.ZodType<T>, name: string, args: unknown): T {
  const parsed = schema.safeParse(args);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw new Rejected(`failed to parse arguments of ${name}: ${issue.path.length ? `${issue.path.join('.')}: ` : ''}${issue.message}`);
}

const number = (description: string) => ({ type: 'number', description });
const text = (description: string) => ({ type: 'string', description });
const shape = (properties: Record<string, unknown>, required: string[]) => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
});

export const execCommand: Tool = {
  name: 'exec_command',
  parallel: true,
  spec: () => ({
    type: 'function',
    name: 'exec_command',
    strict: false,
    description:
      "Runs a command in the worktree's sandbox. Returns its output, or a session id for `write_stdin` when it is still running after the yield time.",
    parameters: shape(
      {
        cmd: text('The command line, for bash.'),
        workdir: text('Folder to run it in. Defaults to the current one.'),
        shell: text('Shell to run it with. Defaults to bash.'),
        login: { type: 'boolean', description: 'Accepted for compatibility; the login environment is always there.' },
        tty: { type: 'boolean', description: 'Runs it in a terminal, so that it can be typed into. Defaults to false: plain pipes.' },
        yield_time_ms: number('How long to wait for it to end before it goes on in the background (250 to 30000, default 10000).'),
        max_output_tokens: number('Longest output to return, in tokens (default and most 10000). The middle is cut out.'),
        sandbox_permissions: {
          type: 'string',
          enum: ['use_default', 'require_escalated'],
          description: '"require_escalated" asks the person to let this one command run outside the sandbox.',
        },
        justification: text('With "require_escalated": one question to the person that says why this is needed.'),
        prefix_rule: {
          type: 'array',
          items: { type: 'string' },
          description:
            'With "require_escalated": first words of the command that the person may allow from now on, such as ["git", "push"].',
        },
      },
      ['cmd'],
    ),
  }),
  run: (args, call) => exec(parseArgs(ExecArgs, 'exec_command', args), call) satisfies Promise<ToolOutput>,
};

export const writeStdin: Tool = {
  name: 'write_stdin',
  parallel: true,
  spec: () => ({
    type: 'function',
    name: 'write_stdin',
    strict: false,
    description: 'Types into a running command, or waits for more of its output when `chars` is empty.',
    parameters: shape(
      {
        session_id: number('The session id that `exec_command` returned.'),
        chars: text('What to type, control characters included. Empty: only wait.'),
        yield_time_ms: number('How long to wait for output (default 250, at most 30000; when only waiting 5000 to 300000).'),
        max_output_tokens: number('Longest output to return, in tokens (default and most 10000).'),
      },
      ['session_id'],
    ),
  }),
  run: (args, call) => write(parseArgs(StdinArgs, 'write_stdin', args), call) satisfies Promise<ToolOutput>,
};
