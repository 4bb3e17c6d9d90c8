import { Menu as Base } from '@base-ui/react/menu';
import { Fragment, type ReactElement } from 'react';
import { Icon, type IconName } from './icons.tsx';
import { Kbd } from './bits.tsx';

export interface MenuEntry {
  id: string;
  title: string;
  icon?: IconName | undefined;
  keys?: string | undefined;
  /** Says why it can't be used now; shown as the entry's tooltip, the entry stays reachable. */
  disabled?: string | undefined;
  danger?: boolean | undefined;
  /** Draws a line above. */
  rule?: boolean | undefined;
  checked?: boolean | undefined;
  run: () => void;
}

/** A menu opened by `trigger` (one button element). Arrow keys, type-ahead and focus return come with it. */
export function Menu({
  trigger,
  entries,
  align = 'end',
  label,
}: {
  trigger: ReactElement;
  entries: readonly MenuEntry[];
  align?: 'start' | 'end';
  label?: string;
}) {
  return (
    <Base.Root modal={false}>
      <Base.Trigger render={trigger} />
      <Base.Portal>
        <Base.Positioner className="positioner" align={align} sideOffset={4}>
          <Base.Popup className="menu" aria-label={label}>
            {entries.map((entry) => (
              <Fragment key={entry.id}>
                {entry.rule && <Base.Separator className="menu-rule" />}
                <Base.Item
                  className={`menu-item${entry.danger ? ' is-bad' : ''}`}
                  disabled={entry.disabled !== undefined}
                  title={entry.disabled}
                  onClick={entry.run}
                  aria-current={entry.checked ? 'true' : undefined}
                >
                  {entry.checked !== undefined ? (
                    <span className="i">{entry.checked && <Icon name="check" />}</span>
                  ) : (
                    entry.icon && <Icon name={entry.icon} />
                  )}
                  {entry.title}
                  {entry.keys && (
                    <span className="menu-keys" aria-hidden="true">
                      <Kbd keys={entry.keys} />
                    </span>
                  )}
                </Base.Item>
              </Fragment>
            ))}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}
