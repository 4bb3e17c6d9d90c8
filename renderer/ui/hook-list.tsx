import type { HookEvent, HookFile } from '../../agent-core/contract/index.ts';
import { visible } from './safe-text.ts';

const moments: Record<HookEvent, string> = {
  UserPromptSubmit: 'Before the agent hears a message',
  PreToolUse: 'Before a call',
  PostToolUse: 'After a call',
  Stop: 'When the agent is about to end',
  Notification: 'When it waits for you',
};

/** The commands of one hooks file, and what of it can't be used. */
export function HookList({ file }: { file: HookFile }) {
  return (
    <>
      {file.problem && (
        <pre className="cmd warn" tabIndex={0} aria-label="What can’t be used">
          {visible(file.problem)}
        </pre>
      )}
      {file.hooks.length > 0 && (
        <ul className="rows-free models-box" aria-label={`Hooks in ${file.path}`}>
          {file.hooks.map((hook, at) => (
            // The order of a file is all that tells two alike apart.
            <li key={at} className="hook-row">
              <span className="sm">
                {moments[hook.event]}
                {hook.matcher && (
                  <>
                    {' of '}
                    <code>{visible(hook.matcher)}</code>
                  </>
                )}
              </span>
              <code className="cut grow">{visible(hook.command)}</code>
              <span className="xs faint">at most {hook.timeoutSeconds} s</span>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
