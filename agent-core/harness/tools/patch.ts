import { z } from 'zod';
import type { FileChange, ItemOf } from '../../contract/index.ts';
import type { ModelConfig } from '../types.ts';
import {
  applyPatch,
  APPLY_PATCH_DESCRIPTION,
  APPLY_PATCH_FUNCTION_DESCRIPTION,
  APPLY_PATCH_GRAMMAR,
  parsePatch,
} from './apply-patch/index.ts';
import { Rejected, type Call, type Tool } from './types.ts';

const takesFreeform = /(^|\/)(gpt-[5-9]|codex|demo)/;
/** The Chat Completions wire has function tools only. */
const freeform = (model: ModelConfig): boolean =>
  model.wire !== 'chat' && (model.patchTool ? model.patchTool === 'freeform' : takesFreeform.test(model.model));

const PatchArgs = z.union([z.string(), z.object({ input: z.string() }), z.object({ patch: z.string() })]);

export const applyPatchTool: Tool = {
  name: 'apply_patch',
  parallel: false,
  offered: ({ kind }) => kind !== 'review',
  spec: ({ model }) =>
    freeform(model)
      ? {
          type: 'custom',
          name: 'apply_patch',
          description: APPLY_PATCH_DESCRIPTION,
          format: { type: 'grammar', syntax: 'lark', definition: APPLY_PATCH_GRAMMAR },
        }
      : {
          type: 'function',
          name: 'apply_patch',
          strict: false,
          description: APPLY_PATCH_FUNCTION_DESCRIPTION,
          parameters: {
            type: 'object',
            properties: { input: { type: 'string', description: 'The whole patch, from "*** Begin Patch" to "*** End Patch".' } },
            required: ['input'],
            additionalProperties: false,
          },
        },
  run: (args, call) => {
    const parsed = PatchArgs.safeParse(args);
    if (!parsed.success) throw new Rejected('failed to parse arguments of apply_patch: `input` must be the text of the patch');
    const { data } = parsed;
    return applyPatchText(typeof data === 'string' ? data : 'input' in data ? data.input : data.patch, call, call.input.cwd);
  },
};

/** A patch that the model gave to a shell instead of the tool: `apply_patch <<'EOF'`, perhaps after a `cd`. */
export function heredocPatch(line: string): { dir: string | null; text: string } | null {
  const match =
    /^\s*(?:cd\s+(?:'([^']+)'|"([^"$`\\]+)"|([^\s'"$`\\;&|]+))\s*&&\s*)?(?:apply_patch|applypatch)\s*<<-?\s*(['"]?)(\w+)\4[ \t]*\n([\s\S]*?)\n\5\s*$/.exec(
      line,
    );
  return match ? { dir: match[1] ?? match[2] ?? match[3] ?? null, text: match[6]! } : null;
}

/** What a patch says that it will do; empty when it can't be read, which applying it will tell. */
function planned(text: string): FileChange[] {
  try {
    return parsePatch(text).map((hunk) => {
      const lines = hunk.type === 'update' ? hunk.chunks.flatMap((chunk) => chunk.lines) : [];
      return {
        path: hunk.path,
        movedTo: hunk.type === 'update' ? hunk.moveTo : null,
        kind: hunk.type,
        added: hunk.type === 'add' ? hunk.lines.length : lines.filter(({ sign }) => sign === '+').length,
        removed: lines.filter(({ sign }) => sign === '-').length,
      };
    });
  } catch {
    return [];
  }
}

/** Why this patch may not be applied, in words for the model; null when it may. */
async function refusal(call: Call, item: ItemOf<'fileChange'>, cwd: string): Promise<string | null> {
  const { mode, approval } = call.input;
  if (mode === 'read-only') return 'patch rejected: this task is read-only; say what should change instead';
  if (mode !== 'ask' && approval !== 'untrusted') return null;
  if (approval === 'never') return 'patch rejected: this task asks before each change, but nobody is there to ask (approval policy: never)';
  const { decision, note } = await call.host.approve({
    itemId: item.id,
    kind: 'patch',
    subject: item.changes.flatMap(({ path, movedTo }) => (movedTo ? [path, movedTo] : [path])).join('\n'),
    argv: null,
    cwd,
    reason: '',
    effect: 'Changes these files in the worktree.',
    prefix: null,
    callId: call.id,
  });
  return decision === 'approved' ? null : `patch rejected by user${note.trim() ? `: ${note.trim()}` : ''}`;
}

/** Applies a patch with all that belongs to it: the item, the person's say, the files' one door. */
export async function applyPatchText(text: string, call: Call, cwd: string): Promise<string> {
  const item: ItemOf<'fileChange'> = { ...call.item('fileChange'), status: 'running', changes: planned(text), error: null };
  await call.begin(item);
  const why = item.changes.length ? await refusal(call, item, cwd) : null;
  if (why) {
    call.end({ ...item, endedAt: Date.now(), status: 'declined', error: why });
    return why;
  }
  const done = await applyPatch(text, call.input.machine.files, cwd);
  call.end({
    ...item,
    endedAt: Date.now(),
    status: done.ok ? 'completed' : 'failed',
    changes: done.changes,
    error: done.ok ? null : done.text,
  });
  return done.text;
}
