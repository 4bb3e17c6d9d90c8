import { useEffect, useState } from 'react';
import { toAppError, type AppError, type OutputOf } from '../../../agent-core/contract/index.ts';
import { rpc } from '../../state/store.ts';
import { CopyButton, ErrorNote, HookList } from '../../ui/index.ts';

const EXAMPLE = JSON.stringify(
  { hooks: { PreToolUse: [{ matcher: 'exec_command', hooks: [{ type: 'command', command: './check.sh', timeout: 10 }] }] } },
  null,
  2,
);

/** The person's own commands around what agents do; kept in a file, read anew by each turn. */
export function Hooks() {
  const [read, setRead] = useState<OutputOf<'hooks/read'> | null>(null);
  const [error, setError] = useState<AppError | null>(null);
  useEffect(() => {
    rpc()
      .call('hooks/read', {})
      .then(setRead, (thrown: unknown) => setError(toAppError(thrown)));
  }, []);
  if (error) return <ErrorNote error={error} />;
  if (!read) return null;
  return (
    <>
      <p className="muted sm">
        Commands of yours that run before and after what agents do, outside the sandbox, as you. Kept in <code>{read.userPath}</code>.
      </p>
      {read.user ? (
        <HookList file={read.user} />
      ) : (
        <div className="row">
          <p className="muted sm">There is no such file yet.</p>
          <CopyButton text={() => EXAMPLE} label="Copy an example" />
        </div>
      )}
    </>
  );
}
