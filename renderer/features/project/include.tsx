import { useCallback } from 'react';
import { INCLUDE_FILE, type Project } from '../../../agent-core/contract/index.ts';
import { rpc } from '../../state/store.ts';
import { Button, ErrorNote, Icon, Skeleton, plural, visibleLine } from '../../ui/index.ts';
import { useAsked } from './use-asked.ts';

const SHOWN = 12;
const size = (bytes: number): string =>
  bytes < 1024 ? `${bytes} B` : bytes < 1024 ** 2 ? `${Math.ceil(bytes / 1024)} KB` : `${(bytes / 1024 ** 2).toFixed(1)} MB`;

/** What `.worktreeinclude` would copy out of the person's checkout into a new worktree now. */
export function Include({ project }: { project: Project }) {
  const { id } = project;
  const ask = useCallback(() => rpc().call('recipe/include', { projectId: id }), [id]);
  const { value, error, busy, again } = useAsked(ask);
  const files = value?.files ?? [];
  const skipped = value?.skipped ?? [];
  return (
    <div className="field" role="group" aria-label="Ignored files that are copied in">
      <span className="row">
        <span className="label grow sm muted">Ignored files that are copied in</span>
        <Button small look="quiet" icon="undo" disabled={busy} onClick={again}>
          Look again
        </Button>
      </span>
      {error && <ErrorNote error={error} />}
      {!value && !error && <Skeleton lines={2} label="Looking through the checkout" />}
      {value && !value.there && (
        <p className="sm muted">
          None. A file <code>{INCLUDE_FILE}</code> in the repository, written like a <code>.gitignore</code>, names ignored files of your
          checkout that each new worktree gets, such as <code>.env</code>.
        </p>
      )}
      {value?.problem && (
        <p className="sm warn offer-problem">
          <Icon name="failed" /> {value.problem} Tasks don’t start until it names less.
        </p>
      )}
      {value?.there && !value.problem && (
        <p className="sm muted">
          {files.length === 0
            ? 'Nothing in your checkout matches.'
            : `${plural(files.length, 'file')}, ${size(value.bytes)}, copied into each new worktree:`}
        </p>
      )}
      {(files.length > 0 || skipped.length > 0) && (
        <ul className="rows">
          {files.slice(0, SHOWN).map(({ path, bytes }) => (
            <li key={path}>
              <Icon small name="check" className="ok" />
              <code className="cut grow">{visibleLine(path)}</code>
              <span className="xs faint num">{size(bytes)}</span>
            </li>
          ))}
          {files.length > SHOWN && <li className="faint">and {files.length - SHOWN} more</li>}
          {skipped.slice(0, SHOWN).map(({ path, why }) => (
            <li key={path}>
              <Icon small name="block" className="faint" />
              <code className="cut">{visibleLine(path)}</code>
              <span className="grow cut xs faint">left out: {why}</span>
            </li>
          ))}
          {skipped.length > SHOWN && <li className="faint">and {skipped.length - SHOWN} more left out</li>}
        </ul>
      )}
    </div>
  );
}
