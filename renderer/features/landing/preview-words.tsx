import type { LandPreview } from '../../../agent-core/contract/index.ts';
import { Icon, plural, visibleLine } from '../../ui/index.ts';

/** Whether it lands cleanly, in one line with its shape: a word of its own for conflicts, not the diff's red. */
export function Verdict({ preview }: { preview: LandPreview }) {
  if (preview.blocked)
    return (
      <span className="tag warn">
        <Icon small name="block" />
        Not now
      </span>
    );
  if (!preview.clean)
    return (
      <span className="tag conflict">
        <Icon small name="x" />
        {plural(preview.conflicts.length, 'conflict')}
      </span>
    );
  return (
    <span className="tag ok">
      <Icon small name="check" />
      Clean
    </span>
  );
}

/** Files among it that programs of this computer run by themselves: they take effect where it lands. */
export function HostRun({ preview }: { preview: LandPreview }) {
  const files = preview.hostRun ?? [];
  if (!files.length) return null;
  return (
    <div>
      <p className="warn">
        Brings in {plural(files.length, 'file')} that tools on this computer run by themselves. Look at {files.length === 1 ? 'it' : 'them'}{' '}
        before you land.
      </p>
      <ul className="rows" style={{ marginTop: 8 }}>
        {files.slice(0, 20).map(({ path, why }) => (
          <li key={path} title={why}>
            <Icon name="block" className="warn" />
            <code className="cut">{visibleLine(path)}</code>
            <span className="faint cut">{why}</span>
          </li>
        ))}
      </ul>
      {files.length > 20 && <p className="faint">and {files.length - 20} more</p>}
    </div>
  );
}

/** What landing does, or what stands in its way and what to do about it. */
export function PreviewWords({ preview }: { preview: LandPreview }) {
  const { ahead, behind, uncommitted, into } = preview;
  return (
    <div className="stack-8 sm">
      <p className="row">
        <Verdict preview={preview} />
        <span className="muted">
          {plural(ahead, 'commit')} for {into}
          {behind > 0 && `, which has moved on by ${behind}`}
          {uncommitted > 0 && `; ${plural(uncommitted, 'uncommitted file')} ${uncommitted === 1 ? 'becomes' : 'become'} the last commit`}
        </span>
      </p>
      {preview.blocked && <p className="warn">{preview.blocked}</p>}
      <HostRun preview={preview} />
      {!preview.clean && preview.conflicts.length > 0 && (
        <div>
          <p>
            These files collide with {into}. Ask the agent to rebase onto {into} and resolve them, then review that turn.
          </p>
          <ul className="rows" style={{ marginTop: 8 }}>
            {preview.conflicts.slice(0, 20).map((path) => (
              <li key={path}>
                <Icon name="file" className="conflict" />
                <code className="cut">{visibleLine(path)}</code>
              </li>
            ))}
          </ul>
        </div>
      )}
    </div>
  );
}
