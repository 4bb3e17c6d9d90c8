import type { SandboxStatus } from '../../agent-core/contract/index.ts';
import { Icon } from './icons.tsx';

const words = { denies: ['blocked', 'not blocked'], works: ['works', 'fails'], has: ['there', 'missing'] } as const;

/** The self-test's lines: what is blocked, what works, and the fix where something is not as it should be. */
export function ProbeList({ probes }: { probes: SandboxStatus['probes'] }) {
  return (
    <ul className="rows tests">
      {probes.map(({ name, ok, kind, detail, fix }) => (
        <li key={name} title={detail || undefined}>
          <Icon name={ok ? 'check' : 'x'} className={ok ? 'ok' : 'bad'} />
          <span>
            {name}
            {!ok && (
              <span className="probe-why">
                {detail}
                {fix && (
                  <>
                    <br />
                    {fix}
                  </>
                )}
              </span>
            )}
          </span>
          <span className={`xs ${ok ? 'faint' : 'bad'}`}>{words[kind][ok ? 0 : 1]}</span>
        </li>
      ))}
    </ul>
  );
}

/** One line for the whole: passed in so many seconds, or what is wrong. */
export function SandboxVerdict({ sandbox }: { sandbox: SandboxStatus | null }) {
  if (!sandbox || sandbox.state === 'checking')
    return (
      <span className="tag muted" role="status">
        Checking…
      </span>
    );
  const failed = sandbox.probes.filter(({ ok, kind }) => !ok && kind !== 'has').length;
  if (sandbox.state === 'unavailable')
    return (
      <span className="tag bad" role="status">
        <Icon small name="fencebad" />
        Can’t confine: tasks don’t run
      </span>
    );
  if (failed)
    return (
      <span className="tag bad" role="status">
        <Icon small name="fencebad" />
        {failed} failed
      </span>
    );
  return (
    <span className="tag ok" role="status">
      <Icon small name="fenceok" />
      Self-test passed in {(sandbox.ms / 1000).toFixed(1)} s
    </span>
  );
}
