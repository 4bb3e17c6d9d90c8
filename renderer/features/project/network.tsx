import { NETWORK_PRESETS, noGrants, type Grants, type Project } from '../../../agent-core/contract/index.ts';
import { attempt } from '../../actions/registry.ts';
import { rpc } from '../../state/store.ts';
import { AddEntry, Button, Entries } from '../../ui/index.ts';
import { Credentials } from './credentials.tsx';
import { Section } from './section.tsx';

type Change = { add?: Partial<Grants>; remove?: Partial<Grants> };

/** One click for all that a package manager or a forge needs; a second one takes it back. */
function Presets({ grants, change }: { grants: Grants; change: (change: Change) => Promise<unknown> }) {
  return (
    <div className="field" role="group" aria-label="Presets">
      <span className="label">Presets</span>
      <div className="presets">
        {Object.entries(NETWORK_PRESETS).map(([id, { title, hosts }]) => {
          const on = hosts.every((host) => grants.hosts.includes(host));
          return (
            <Button
              key={id}
              small
              icon={on ? 'check' : 'plus'}
              aria-pressed={on}
              title={hosts.join('\n')}
              onClick={() => void attempt(() => change(on ? { remove: { hosts: [...hosts] } } : { add: { hosts: [...hosts] } }), null)}
            >
              {title}
            </Button>
          );
        })}
      </div>
    </div>
  );
}

const presetOf = (host: string): string =>
  Object.values(NETWORK_PRESETS).find(({ hosts }) => (hosts as readonly string[]).includes(host))?.title ?? '';

/** Hosts and services that each task of the project may reach. */
export function Network({ project }: { project: Project }) {
  const grants = project.grants ?? noGrants;
  const change = (part: Change) => rpc().call('project/grant', { projectId: project.id, ...part });
  return (
    <Section id="network" title="Network">
      <p className="muted sm">
        {grants.hosts.length + grants.services.length === 0
          ? 'Commands of this project’s tasks reach nothing outside their sandbox. What they try is listed in the task, where you can allow it.'
          : 'What the commands of each task may reach, from their next connection on. Everything else is blocked and listed in the task.'}
      </p>
      <Presets grants={grants} change={change} />
      <Entries
        label="Allowed hosts"
        entries={grants.hosts}
        note={presetOf}
        onRemove={(host) => void attempt(() => change({ remove: { hosts: [host] } }), null)}
      />
      <AddEntry
        label="Host"
        hint={
          <>
            A name, or all names below one with <code>*.</code> in front; with a port, or any port without.
          </>
        }
        placeholder="registry.npmjs.org:443"
        add={(host) => change({ add: { hosts: [host] } })}
      />
      <Entries
        label="Services"
        entries={grants.services}
        onRemove={(service) => void attempt(() => change({ remove: { services: [service] } }), null)}
      />
      <AddEntry
        label="Service on this computer or your network"
        hint="A database or an API of yours. Commands find a service of this computer at the same address inside."
        placeholder="localhost:5432"
        add={(service) => change({ add: { services: [service] } })}
      />
      <Credentials project={project} />
    </Section>
  );
}
