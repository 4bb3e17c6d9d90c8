import { useEffect, useState } from 'react';
import { useAllActions } from './hooks.ts';
import { applies, contextOf, runAction, titleOf } from './registry.ts';
import { useCore, useUi } from '../state/hooks.ts';
import { Kbd } from '../ui/index.ts';

/** The keys in scope, read from the registry. `scopes` are those of the place that shows it. */
export function KeyFoot({
  scopes,
  extra = [],
}: {
  scopes: readonly string[];
  extra?: readonly (readonly [keys: string, title: string])[];
}) {
  const actions = useAllActions();
  useUi((state) => state.focused);
  useUi((state) => state.selected);
  useCore((state) => state.board);
  // the context is read while rendering; a first render before the stores are filled is made good here
  const [, again] = useState(0);
  useEffect(() => again(1), []);
  const context = contextOf();
  const shown = actions
    .filter((action) => action.footer && action.keys?.length && scopes.includes(action.scope ?? 'global') && applies(action, context))
    .slice(0, 5);
  return (
    <footer className="foot" aria-label="Keys in scope">
      {extra.map(([keys, title]) => (
        <span key={title} className="k">
          <Kbd keys={keys} />
          {title}
        </span>
      ))}
      {shown.map((action) => (
        <span key={action.id} className="k">
          <Kbd keys={action.keys![0]!} />
          {titleOf(action, context)}
        </span>
      ))}
      <span className="grow" />
      <button type="button" className="k" onClick={() => void runAction('app.keys')}>
        <Kbd keys="?" />
        All keys
      </button>
    </footer>
  );
}
