import { Failure, type Handlers } from '../../contract/index.ts';
import type { Client } from '../api.ts';
import { getProject, type Context } from '../context.ts';
import { projectHooks, userHooks, userHooksPath } from '../hooks.ts';

export function hookHandlers(context: Context): Pick<Handlers<Client>, 'hooks/read' | 'hooks/trust'> {
  const { home } = context.options;
  return {
    'hooks/read': async ({ projectId }) => ({
      user: await userHooks(home),
      userPath: userHooksPath(home),
      project: projectId ? await projectHooks(getProject(context, projectId)) : null,
    }),
    'hooks/trust': async ({ projectId, hash }) => {
      const project = getProject(context, projectId);
      if (hash !== null && (await projectHooks(project))?.hash !== hash)
        throw new Failure('conflict', 'The project’s hooks have changed meanwhile.', { fix: 'Look at them again.' });
      await context.store.commit({ events: [{ type: 'project.hooked', projectId, hash }] });
      return {};
    },
  };
}
