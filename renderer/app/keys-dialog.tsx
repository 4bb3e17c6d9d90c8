import { useState } from 'react';
import { useAllActions } from '../actions/hooks.ts';
import { scopesAt } from '../actions/keys.ts';
import { contextOf, titleOf, type Action } from '../actions/registry.ts';
import { closeLayer } from '../state/ui.ts';
import { Dialog, Kbd } from '../ui/index.ts';

const NAMES: Record<string, string> = {
  global: 'Everywhere',
  board: 'On the board',
  inbox: 'In the inbox',
  task: 'In a task',
  conversation: 'In the conversation',
  review: 'In review',
  terminal: 'In the terminal',
  landing: 'In landing',
  trash: 'In the trash',
  settings: 'In settings',
  project: 'In project settings',
};
const isDigit = (action: Action) => /^go\.task\.[2-9]$/.test(action.id);

/** The keys in scope, from the same list that makes them work. */
export function KeysDialog() {
  const actions = useAllActions();
  const [scopes] = useState(() => scopesAt(null));
  const context = contextOf();
  const shown = scopes
    .map((scope) => ({
      scope,
      list: actions.filter((action) => (action.scope ?? 'global') === scope && action.keys?.length && !isDigit(action)),
    }))
    .filter(({ list }) => list.length > 0);
  return (
    <Dialog open onClose={closeLayer} title="Keys" wide>
      <div className="keys">
        {shown.map(({ scope, list }) => (
          <section key={scope} aria-label={NAMES[scope] ?? scope}>
            <h3>{NAMES[scope] ?? scope}</h3>
            <dl>
              {list.map((action) => (
                <div key={action.id}>
                  <dt>{action.id === 'go.task.1' ? 'Open the first to ninth task' : titleOf(action, context)}</dt>
                  <dd>
                    {action.keys!.map((keys) => (
                      <Kbd key={keys} keys={keys} />
                    ))}
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
