import type { Script } from '../play.ts';
import { lookAround, resultAt, run } from './common.ts';

/** Asks for one command outside the sandbox, and goes on sensibly when that is declined. */
export const gitName: Script = function* () {
  yield* lookAround('First what this worktree itself knows.');
  const inside = yield { calls: [run("git config --get user.name; git log -3 --format='%h %an  %s'")] };
  const log = resultAt(inside, 0).output.trim();
  const outside = yield {
    think:
      'The sandbox has a HOME of its own, so the git configuration of the person is not visible in here. That takes one command outside; it only reads.',
    say: 'Your own git configuration is not visible from inside the sandbox. One command outside would tell; it only reads a name.',
    calls: [
      run('git config --global --get user.name', {
        sandbox_permissions: 'require_escalated',
        justification: 'May I read the name in your git configuration? The sandbox hides it from me.',
        prefix_rule: ['git', 'config', '--global', '--get'],
      }),
    ],
  };
  const asked = resultAt(outside, 0);
  const shown = `Here in the worktree git says:\n\n    ${log.split('\n').join('\n    ')}`;
  if (asked.declined !== null) {
    const note = asked.declined.trim();
    return `${shown}\n\nThe look outside was declined${note ? ` (“${note}”)` : ''}, so I do not know the name in your own configuration, and I did not look for a way around. Nothing was changed.`;
  }
  const name = asked.output.trim();
  if (asked.exitCode === 0 && name)
    return `${shown}\n\nYour own configuration, read outside the sandbox, says: **${name}**. Nothing was changed.`;
  return `${shown}\n\nYour own configuration names nobody (\`git config\` ended with ${asked.exitCode ?? 'no exit code'}). \`git config --global user.name "Your Name"\` sets it. Nothing was changed.`;
};
