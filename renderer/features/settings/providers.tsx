import { useState } from 'react';
import {
  MAIN_PROVIDER,
  PRESETS,
  providersOf,
  type Provider,
  type ProviderKind,
  type Settings,
} from '../../../agent-core/contract/index.ts';
import { attempt } from '../../actions/registry.ts';
import { rpc } from '../../state/store.ts';
import { Button, Icon, IconButton, Menu } from '../../ui/index.ts';
import { ask, ProviderForm, Verdict, type Health } from './provider-form.tsx';

const keyWords: Record<Settings['keySource'], string> = { none: 'no key', settings: 'key saved', environment: 'key in OPENAI_API_KEY' };

/** A name that no other provider has, from the preset's. */
function freshProvider(kind: ProviderKind, settings: Settings): Provider {
  const preset = PRESETS.find((each) => each.kind === kind)!;
  const taken = new Set(providersOf(settings).map(({ id }) => id));
  const base = kind === 'other' ? 'server' : kind;
  let id: string = base;
  for (let count = 2; taken.has(id); count++) id = `${base}-${count}`;
  const { name, baseUrl, wire } = preset;
  return { id, kind, name: id === base ? name : `${name} ${id.slice(base.length + 1)}`, baseUrl, wire };
}

function Row({ provider, settings, alone }: { provider: Provider; settings: Settings; alone: boolean }) {
  const [open, setOpen] = useState(alone);
  const [health, setHealth] = useState<Health>();
  const keySource = settings.keys?.[provider.id] ?? (provider.id === MAIN_PROVIDER ? settings.keySource : 'none');
  const url = provider.baseUrl || settings.mainUrl || 'https://api.openai.com/v1';
  const test = async () => {
    setHealth({ state: 'busy' });
    setHealth(await ask(provider.id));
  };
  return (
    <li className="provider">
      <div className="provider-head">
        <span className="who">
          <b>{provider.name}</b>
          <span className="xs faint cut">
            <code>{url}</code> · {keyWords[keySource]}
          </span>
        </span>
        {health?.state === 'ok' && (
          <span className="health ok row" role="status">
            <Icon small name="check" />
            {health.words}
          </span>
        )}
        {!open && (
          <Button small disabled={health?.state === 'busy'} aria-label={`Test ${provider.name}`} onClick={() => void test()}>
            {health?.state === 'busy' ? 'Testing…' : 'Test'}
          </Button>
        )}
        {!open && (
          <Button small look="quiet" aria-label={`Edit ${provider.name}`} onClick={() => setOpen(true)}>
            Edit
          </Button>
        )}
        {provider.id !== MAIN_PROVIDER && (
          <IconButton
            icon="x"
            small
            label={`Remove ${provider.name}`}
            onClick={() => void attempt(() => rpc().call('provider/remove', { provider: provider.id }), null)}
          />
        )}
      </div>
      {health?.state === 'failed' && <Verdict health={health} />}
      {open && <ProviderForm provider={provider} keySource={keySource} {...(alone ? {} : { onDone: () => setOpen(false) })} />}
    </li>
  );
}

/** Where models come from: any number of servers that speak one of the two APIs. */
export function Providers({ settings }: { settings: Settings }) {
  const [adding, setAdding] = useState<Provider | null>(null);
  const all = providersOf(settings);
  const alone = all.length === 1 && !adding;
  return (
    <>
      <ul className="rows-free models-box">
        {all.map((provider) => (
          <Row key={`${provider.id} ${alone}`} provider={provider} settings={settings} alone={alone} />
        ))}
        {adding && (
          <li className="provider">
            <div className="provider-head">
              <b>New provider</b>
            </div>
            <ProviderForm key={adding.id} fresh provider={adding} keySource="none" onDone={() => setAdding(null)} />
          </li>
        )}
      </ul>
      <div className="row">
        <Menu
          align="start"
          label="Kinds of providers"
          trigger={<Button icon="plus">Add provider</Button>}
          entries={PRESETS.map(({ kind, name }) => ({ id: kind, title: name, run: () => setAdding(freshProvider(kind, settings)) }))}
        />
      </div>
    </>
  );
}
