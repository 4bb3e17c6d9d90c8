import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HOOKS_FILE, type HookEvent, type HookFile, type Project, type Task, type Turn } from '../contract/index.ts';
import type { TurnHost } from '../harness/types.ts';
import { FILE_LIMIT, readHooks } from '../hooks/file.ts';
import { runHooks, type Armed, type Verdict } from '../hooks/run.ts';
import type { Machine } from '../sandbox/types.ts';
import { defaultPolicy, type OpenWorkspace } from '../workspace/index.ts';
import { newestCommit, ownFileAt } from '../workspace/recipe/base-file.ts';
import type { Context } from './context.ts';

/** An agent that hooks keep from ending is let go after this many times. */
const MOST_CONTINUATIONS = 5;

export const userHooksPath = (home: string): string => join(home, 'hooks.json');

export async function userHooks(home: string): Promise<HookFile | null> {
  const path = userHooksPath(home);
  const bytes = await readFile(path).catch(() => null);
  return bytes === null ? null : readHooks(path, bytes.subarray(0, FILE_LIMIT));
}

/** The hooks of a project's newest commit; never what a worktree has, where an agent may have written it. */
export async function projectHooks(project: Project): Promise<HookFile | null> {
  const bytes = await ownFileAt(project, await newestCommit(project), HOOKS_FILE, FILE_LIMIT);
  return bytes === null ? null : readHooks(HOOKS_FILE, bytes);
}

/** Where the person's own hooks run: outside, as themselves, in their home and never in a folder that an agent can write. */
export class HookRooms {
  readonly #context: Pick<Context, 'options' | 'sandbox'>;
  #outside: Promise<Machine> | null = null;

  constructor(context: Pick<Context, 'options' | 'sandbox'>) {
    this.#context = context;
  }

  outside(): Promise<Machine> {
    const { options, sandbox } = this.#context;
    const policy = defaultPolicy('full');
    return (this.#outside ??= sandbox.driver(policy).open({
      id: 'hooks',
      stateDir: join(options.home, 'hooks'),
      worktree: options.env['HOME'] ?? options.home,
      binds: [],
      policy,
      env: {},
    }));
  }

  async dispose(): Promise<void> {
    await (await this.#outside?.catch(() => null))?.dispose();
  }
}

interface About {
  task: Task;
  turn: Turn;
  project: Project;
  open: OpenWorkspace;
  model: string;
  signal: AbortSignal;
  /** Shows a hook's problem in the conversation. */
  tell(text: string): Promise<void>;
}

/** The hooks of one turn. None cost nothing: most turns have none. */
export class TurnHooks {
  readonly #armed: readonly Armed[];
  readonly #about: About;
  #continued = 0;

  private constructor(armed: readonly Armed[], about: About) {
    this.#armed = armed;
    this.#about = about;
  }

  static async load(context: Context, about: About): Promise<TurnHooks> {
    const { project, open } = about;
    const armed: Armed[] = [];
    const own = await userHooks(context.options.home);
    if (own?.problem) await about.tell(`Your hooks in ${own.path}: ${own.problem}`);
    if (own?.hooks.length) {
      const machine = await context.hooks.outside();
      armed.push({ hooks: own.hooks, machine, cwd: machine.spec.worktree, whose: 'your hook' });
    }
    if (project.hooksTrusted) {
      const theirs = await projectHooks(project);
      if (theirs?.hash === project.hooksTrusted)
        armed.push({ hooks: theirs.hooks, machine: open.confined, cwd: open.cwd, whose: 'the project’s hook' });
      else if (theirs)
        await about.tell(
          `The project’s hooks in ${HOOKS_FILE} have changed since you trusted them: they don’t run until you look at them on the project’s page.`,
        );
    }
    return new TurnHooks(armed, about);
  }

  async #run(event: HookEvent, more: Record<string, unknown>): Promise<Verdict> {
    const { task, turn, open, model, signal } = this.#about;
    const input = {
      session_id: turn.threadId,
      turn_id: turn.id,
      task_id: task.id,
      cwd: open.cwd,
      model,
      permission_mode: task.mode,
      ...more,
    };
    const verdict = await runHooks(this.#armed, event, input, signal);
    for (const problem of verdict.problems) await this.#about.tell(problem);
    return verdict;
  }

  #has(event: HookEvent): boolean {
    return this.#armed.some(({ hooks }) => hooks.some((hook) => hook.event === event));
  }

  /** Before the agent hears these messages. */
  async begin(messages: string[]): Promise<Verdict> {
    return this.#has('UserPromptSubmit')
      ? this.#run('UserPromptSubmit', { prompt: messages.join('\n\n') })
      : { refuse: null, context: null, problems: [] };
  }

  /** The same host, with hooks around what the agent does. */
  around(host: TurnHost): TurnHost {
    if (!this.#armed.length) return host;
    const waits = (message: string): void => {
      if (this.#has('Notification')) void this.#run('Notification', { message }).catch(() => {});
    };
    const hooked: Partial<TurnHost> = {
      calling: async (tool, args, id) =>
        this.#has('PreToolUse')
          ? this.#run('PreToolUse', { tool_name: tool, tool_input: args, tool_use_id: id })
          : { refuse: null, context: null },
      settled: async (tool, args, output, id) => {
        const before = (await host.settled?.(tool, args, output, id)) ?? null;
        if (!this.#has('PostToolUse')) return before;
        const { refuse, context } = await this.#run('PostToolUse', {
          tool_name: tool,
          tool_input: args,
          tool_use_id: id,
          tool_response: output,
        });
        return [before, refuse, context].filter((text) => text !== null).join('\n\n') || null;
      },
      stopping: async (said) => {
        if (!this.#has('Stop') || this.#continued >= MOST_CONTINUATIONS) return null;
        const { refuse } = await this.#run('Stop', { last_assistant_message: said, stop_hook_active: this.#continued > 0 });
        if (refuse !== null) this.#continued += 1;
        return refuse;
      },
      approve: (request) => {
        waits(`Needs approval: ${request.subject}`);
        return host.approve(request);
      },
      ask: (questions) => {
        waits(`Has a question: ${questions[0]?.question ?? ''}`);
        return host.ask(questions);
      },
    };
    return new Proxy(host, {
      get: (target, name) => {
        const own = hooked[name as keyof TurnHost];
        if (own) return own;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
  }
}
