import { z } from 'zod';
import { TaskId, TerminalId } from '../ids.ts';
import { method, nothing, type MethodSpec } from './method.ts';

export const TerminalInfo = z.object({
  id: TerminalId,
  taskId: TaskId,
  title: z.string(),
  cols: z.number().int(),
  rows: z.number().int(),
  running: z.boolean(),
  exitCode: z.number().int().nullable(),
  /** The action of the recipe that runs in it; absent for a shell. */
  action: z.string().optional(),
  /** Runs outside the sandbox, as the person: for their own ssh, gh or push. No agent reads or types there. */
  outside: z.boolean().optional(),
});
export type TerminalInfo = z.infer<typeof TerminalInfo>;

/** Terminals. */
export const terminalMethods = {
  'terminal/open': method(
    z.object({
      taskId: TaskId,
      cols: z.number().int().min(2).max(1000),
      rows: z.number().int().min(1).max(500),
      /** Only ever on the person's own word, given for this very terminal. */
      outside: z.boolean().default(false),
    }),
    TerminalInfo,
    ['cannot-confine', 'worktree-missing'],
  ),
  'terminal/list': method(z.object({ taskId: TaskId }), z.object({ terminals: z.array(TerminalInfo) })),
  /** The screen as escape sequences that redraw it; output after it follows as `terminal.output`. */
  'terminal/attach': method(z.object({ terminalId: TerminalId }), z.object({ info: TerminalInfo, screen: z.string() })),
  'terminal/detach': method(z.object({ terminalId: TerminalId }), nothing),
  'terminal/write': method(z.object({ terminalId: TerminalId, data: z.string() }), nothing),
  'terminal/resize': method(
    z.object({ terminalId: TerminalId, cols: z.number().int().min(2).max(1000), rows: z.number().int().min(1).max(500) }),
    nothing,
  ),
  'terminal/close': method(z.object({ terminalId: TerminalId }), nothing),
  /** Tells how many characters of `terminal.output` were drawn: the flow control of a slow reader. */
  'terminal/ack': method(z.object({ terminalId: TerminalId, chars: z.number().int() }), nothing),
} as const satisfies Record<string, MethodSpec>;
