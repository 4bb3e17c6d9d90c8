import { useEffect, useRef, useState } from 'react';
import { toAppError, type AppError, type ItemOf, type OutputOf, type ProposalStep } from '../../../agent-core/contract/index.ts';
import { rpc } from '../../state/store.ts';
import { speak } from '../../state/ui.ts';

type Item = ItemOf<'proposal'>;
type Step = ProposalStep;

export interface Plan {
  steps: readonly Step[];
  busy: boolean;
  error: AppError | null;
  clear: () => void;
  edit: (steps: readonly Step[], said?: string) => void;
  start: () => void;
  split: (stepIds: readonly string[], order: 'sequence' | 'marked') => void;
}

/** A plan as it is shown: a change shows at once, is saved in the order of making, and is taken back where it can't be. */
export function useProposal(item: Item): Plan {
  const [mine, setMine] = useState<readonly Step[] | null>(null);
  const [error, setError] = useState<AppError | null>(null);
  const [busy, setBusy] = useState(false);
  const revision = useRef(item.revision);
  const waiting = useRef(0);
  const last = useRef<Promise<unknown>>(Promise.resolve());
  useEffect(() => {
    revision.current = Math.max(revision.current, item.revision);
    if (waiting.current === 0) setMine(null);
  }, [item]);
  const queue = <T>(work: () => Promise<T>): Promise<T | null> => {
    waiting.current += 1;
    const done = last.current.then(work).then(
      (value) => value,
      (thrown: unknown) => {
        setError(toAppError(thrown));
        setMine(null);
        return null;
      },
    );
    last.current = done;
    return done.finally(() => {
      waiting.current -= 1;
    });
  };
  const at = () => ({ itemId: item.id, revision: revision.current });
  const edit = (steps: readonly Step[], said?: string) => {
    setMine(steps);
    setError(null);
    if (said) speak(said);
    const plain = steps.map(({ taskId: _taskId, ...step }) => step);
    void queue(async () => {
      const saved = await rpc().call('plan/edit', { ...at(), steps: plain });
      revision.current = Math.max(revision.current, saved.revision);
    });
  };
  const once = (work: () => Promise<string>) => {
    if (busy) return;
    setBusy(true);
    setError(null);
    void queue(work)
      .then((said) => said && speak(said))
      .finally(() => setBusy(false));
  };
  return {
    steps: mine ?? item.steps,
    busy,
    error,
    clear: () => setError(null),
    edit,
    start: () =>
      once(async () => {
        const { queued }: OutputOf<'plan/start'> = await rpc().call('plan/start', at());
        return queued ? 'The plan starts when this turn is over' : 'The plan is started';
      }),
    split: (stepIds, order) =>
      once(async () => {
        const { taskIds } = await rpc().call('plan/split', { ...at(), stepIds: [...stepIds], order });
        return taskIds.length === 1 ? '1 task made' : `${taskIds.length} tasks made`;
      }),
  };
}
