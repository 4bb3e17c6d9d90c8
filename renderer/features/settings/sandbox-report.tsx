import { useState } from 'react';
import { attempt } from '../../actions/registry.ts';
import { rpc } from '../../state/store.ts';
import { useCore } from '../../state/hooks.ts';
import { Button, ProbeList, SandboxVerdict } from '../../ui/index.ts';

/** What the sandbox proves about itself on this machine, and again on a click. */
export function SandboxReport() {
  const sandbox = useCore((state) => state.sandbox);
  const [busy, setBusy] = useState(false);
  const again = async () => {
    setBusy(true);
    await attempt(() => rpc().call('system/selftest', {}), null);
    setBusy(false);
  };
  return (
    <>
      <div className="row">
        <SandboxVerdict sandbox={sandbox} />
        <span className="xs faint">{sandbox?.driver}</span>
        <span className="grow" />
        <Button small disabled={busy} onClick={() => void again()}>
          {busy ? 'Checking…' : 'Check again'}
        </Button>
      </div>
      {sandbox && sandbox.probes.length > 0 && <ProbeList probes={sandbox.probes} />}
    </>
  );
}
