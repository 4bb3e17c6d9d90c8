import { createHash } from 'node:crypto';
import { z } from 'zod';
import { HookEvent, type Hook, type HookFile } from '../contract/index.ts';

const STANDARD_SECONDS = 60;
const MOST_SECONDS = 600;
export const FILE_LIMIT = 256 * 1024;

const Command = z.object({
  type: z.literal('command', { error: 'Only hooks of the type “command” are known.' }),
  command: z.string().trim().min(1),
  timeout: z.number().positive().max(MOST_SECONDS).default(STANDARD_SECONDS),
});
const Group = z.object({ matcher: z.string().default(''), hooks: z.array(Command) });
const File = z.object({ hooks: z.record(z.string(), z.array(z.unknown())) });

/**
 * Reads a hooks file, in the form that the field uses: `{"hooks": {"PreToolUse": [{"matcher": "exec_command", "hooks":
 * [{"type": "command", "command": "…", "timeout": 10}]}]}}`. What can't be used is named in `problem`; the rest counts.
 */
export function readHooks(path: string, bytes: Buffer): HookFile {
  const hash = createHash('sha256').update(bytes).digest('hex');
  const problems: string[] = [];
  const hooks: Hook[] = [];
  let groups: Record<string, unknown[]> = {};
  try {
    groups = File.parse(JSON.parse(bytes.toString('utf8'))).hooks;
  } catch (error) {
    problems.push(error instanceof z.ZodError ? 'It needs an object “hooks” with lists by event.' : `It is not JSON: ${String(error)}`);
  }
  for (const [name, list] of Object.entries(groups)) {
    const event = HookEvent.safeParse(name);
    if (!event.success) {
      problems.push(`The event “${name}” is not known; there are: ${HookEvent.options.join(', ')}.`);
      continue;
    }
    for (const [at, given] of list.entries()) {
      const group = Group.safeParse(given);
      if (!group.success) problems.push(`${name}[${at}]: ${z.prettifyError(group.error)}`);
      else if (!compiles(group.data.matcher))
        problems.push(`${name}[${at}]: the matcher “${group.data.matcher}” is no regular expression.`);
      else
        for (const { command, timeout } of group.data.hooks)
          hooks.push({ event: event.data, matcher: group.data.matcher, command, timeoutSeconds: timeout });
    }
  }
  return { path, hooks, problem: problems.length ? problems.join('\n') : null, hash };
}

function compiles(matcher: string): boolean {
  try {
    matches(matcher, '');
    return true;
  } catch {
    return false;
  }
}

/** Whether a hook is for this tool. */
export const matches = (matcher: string, tool: string): boolean =>
  matcher === '' || matcher === '*' || new RegExp(`^(?:${matcher})$`).test(tool);
