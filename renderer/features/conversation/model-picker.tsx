import { useState } from 'react';
import type { Effort, Thread, TurnModel } from '../../../agent-core/contract/index.ts';
import { useCore } from '../../state/hooks.ts';
import { effortsOf, modelsFor } from '../../state/models.ts';
import { Select } from '../../ui/index.ts';

const chosen = new Map<string, TurnModel>();

/** What the next message of a thread asks for, where it isn't what its task runs on. */
export const turnModel = (thread: Thread): TurnModel => chosen.get(thread.id) ?? {};

/** Which model answers the next message, and how long it may think. Stays for the messages after it. */
export function ModelPicker({ thread }: { thread: Thread }) {
  const settings = useCore((state) => state.board!.settings);
  const task = useCore((state) => state.board!.tasks[thread.taskId]);
  const [, again] = useState(0);
  if (!task) return null;
  const now = { model: task.model, effort: task.effort, ...chosen.get(thread.id) };
  const choose = (change: TurnModel) => {
    const next = { ...now, ...change };
    chosen.set(thread.id, { ...(next.model ? { model: next.model } : {}), ...(next.effort ? { effort: next.effort } : {}) });
    again((count) => count + 1);
  };
  const efforts = effortsOf(settings, now.model);
  return (
    <span className="turn-model">
      <Select
        aria-label="Model of the next turn"
        options={modelsFor(settings, now.model)}
        value={now.model}
        onChange={(model) => choose({ model })}
      />
      {efforts.length > 1 && (
        <Select
          aria-label="Effort of the next turn"
          options={efforts}
          value={efforts.some(({ id }) => id === now.effort) ? (now.effort ?? '') : ''}
          onChange={(effort) => choose({ effort: (effort || undefined) as Effort | undefined })}
        />
      )}
    </span>
  );
}
