import type { ReactNode } from 'react';
import { runAction } from './registry.ts';
import { useCoreShallow, useUi } from '../state/hooks.ts';
import { boardView } from '../state/board-view.ts';
import { Button, Icon, IconButton, Kbd, money } from '../ui/index.ts';

/** One line about the fleet: how many work, how many need you, what it all cost. */
export function Fleet() {
  const { working, need, cost } = useCoreShallow(({ board }) => {
    const view = board && boardView(board);
    const costs = board ? Object.values(board.tasks).flatMap(({ usage }) => (usage.cost === null ? [] : [usage.cost])) : [];
    return {
      working: view?.columns.working.length ?? 0,
      need: view?.columns['needs-you'].length ?? 0,
      cost: costs.length ? costs.reduce((sum, one) => sum + one, 0) : null,
    };
  });
  return (
    <p className="fleet">
      <span>{working} working</span>
      {need > 0 && (
        <>
          <span className="faint">·</span>
          <span className="waiting">{need === 1 ? '1 needs you' : `${need} need you`}</span>
        </>
      )}
      {cost !== null && (
        <>
          <span className="faint">·</span>
          <span>{money(cost)} in all</span>
        </>
      )}
    </p>
  );
}

/** The bar on top of every place: title, fleet, search, New task. */
export function PageBar({ title, after, actions }: { title: string; after?: ReactNode; actions?: ReactNode }) {
  const sidebar = useUi((state) => state.sidebar);
  return (
    <header className="bar">
      {!sidebar && <IconButton icon="split" label="Show sidebar" keys="mod+b" onClick={() => void runAction('view.sidebar')} />}
      <h1>{title}</h1>
      {after ?? <Fleet />}
      <span className="grow" />
      <button type="button" className="search" aria-haspopup="dialog" onClick={() => void runAction('app.palette')}>
        <Icon name="search" />
        <span className="cut">Search tasks and actions</span>
        <span aria-hidden="true">
          <Kbd keys="mod+k" />
        </span>
      </button>
      {actions}
      <Button look="fill" icon="plus" keys="mod+n" onClick={() => void runAction('task.new')}>
        New task
      </Button>
    </header>
  );
}
