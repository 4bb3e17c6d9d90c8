import { useCallback } from 'react';
import { HOOKS_FILE, type Project } from '../../../agent-core/contract/index.ts';
import { attempt } from '../../actions/registry.ts';
import { rpc } from '../../state/store.ts';
import { Button, ErrorNote, HookList } from '../../ui/index.ts';
import { Section } from './section.tsx';
import { useAsked } from './use-asked.ts';

/** Commands that the repository brings along: they run in each task's sandbox once the person trusts this very content. */
export function Hooks({ project }: { project: Project }) {
  const { id, hooksTrusted } = project;
  const { value, error } = useAsked(useCallback(() => rpc().call('hooks/read', { projectId: id }), [id]));
  if (error) return <ErrorNote error={error} />;
  const file = value?.project;
  if (!file) return null;
  const trusted = file.hash === hooksTrusted;
  const trust = (hash: string | null) => void attempt(() => rpc().call('hooks/trust', { projectId: id, hash }), null);
  return (
    <Section id="hooks" title="Hooks">
      <p className="muted sm">
        The repository brings hooks in <code>{HOOKS_FILE}</code>. They run in the sandbox of its tasks once you trust them, and no longer
        when the file changes.
      </p>
      <HookList file={file} />
      {file.hooks.length > 0 && (
        <div className="row">
          {trusted ? (
            <Button onClick={() => trust(null)}>Stop trusting</Button>
          ) : (
            <Button look="fill" onClick={() => trust(file.hash)}>
              Trust these hooks
            </Button>
          )}
          <span className="hint" role="status">
            {trusted
              ? 'Trusted. They run from the next turn on.'
              : hooksTrusted
                ? 'They have changed since you trusted them.'
                : 'They don’t run yet.'}
          </span>
        </div>
      )}
    </Section>
  );
}
