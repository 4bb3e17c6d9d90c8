import { useCallback } from 'react';
import type { Project, Registry } from '../../../agent-core/contract/index.ts';
import { attempt } from '../../actions/registry.ts';
import { rpc } from '../../state/store.ts';
import { Button, ErrorNote, Icon, Skeleton } from '../../ui/index.ts';
import { useAsked } from './use-asked.ts';

type State = 'allowed' | 'refused' | 'open';
const WORDS: Record<State, string> = { allowed: 'Allowed', refused: 'Refused', open: 'Not asked yet' };

function Row({ registry, state, project }: { registry: Registry; state: State; project: Project }) {
  const { host, near, files } = registry;
  const answer = (next: 'allow' | 'refuse' | 'forget') =>
    void attempt(() => rpc().call('recipe/answer', { projectId: project.id, hosts: [host], answer: next }), null);
  return (
    <li className="registry">
      <Icon
        small
        name={state === 'allowed' ? 'check' : state === 'refused' ? 'block' : 'question'}
        className={state === 'allowed' ? 'ok' : 'faint'}
      />
      <code className="cut">{host}</code>
      <span className="grow cut faint xs" title={files.join('\n')}>
        {near ? 'on this computer or in your network · ' : ''}
        {files.length > 0 ? files.join(', ') : 'no lockfile names it any more'}
      </span>
      <span className="xs muted">{WORDS[state]}</span>
      {state !== 'allowed' && (
        <Button small aria-label={`Allow ${host}`} onClick={() => answer('allow')}>
          Allow
        </Button>
      )}
      {state !== 'refused' && (
        <Button small look="quiet" aria-label={`Refuse ${host}`} onClick={() => answer('refuse')}>
          Refuse
        </Button>
      )}
      {state !== 'open' && (
        <Button small look="quiet" aria-label={`Ask again for ${host}`} onClick={() => answer('forget')}>
          Ask again
        </Button>
      )}
    </li>
  );
}

/** What setup may reach while it runs: the hosts that the lockfiles name, and what was answered for each. */
export function Registries({ project }: { project: Project }) {
  const { id } = project;
  const ask = useCallback(() => rpc().call('recipe/registries', { projectId: id }), [id]);
  const { value, error } = useAsked(ask);
  const { allowed = [], refused = [] } = project.registries ?? {};
  const found = value?.registries ?? [];
  const others = [...allowed, ...refused].filter((host) => !found.some((registry) => registry.host === host));
  const rows = [...found, ...others.map((host): Registry => ({ host, near: false, files: [] }))];
  const stateOf = (host: string): State => (allowed.includes(host) ? 'allowed' : refused.includes(host) ? 'refused' : 'open');
  return (
    <div className="field" role="group" aria-label="Registries for setup">
      <span className="label">Registries for setup</span>
      {error && <ErrorNote error={error} />}
      {!value && !error && <Skeleton lines={2} label="Reading the lockfiles" />}
      {value && rows.length === 0 && (
        <p className="sm muted">No lockfile in the newest commit names a registry. Setup runs without network.</p>
      )}
      {value && rows.length > 0 && (
        <ul className="rules rows">
          {rows.map((registry) => (
            <Row key={registry.host} {...{ registry, project }} state={stateOf(registry.host)} />
          ))}
        </ul>
      )}
      {value && rows.length > 0 && (
        <p className="hint">
          Open only while setup runs, and asked once by the first task that needs them. After it the network closes again.
        </p>
      )}
    </div>
  );
}
