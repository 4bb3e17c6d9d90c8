import { Failure, type Handlers } from '../../contract/index.ts';
import type { Client } from '../api.ts';
import { getProject, type Context } from '../context.ts';
import type { Reviews } from '../reviews.ts';
import { openWorkspace } from './tasks.ts';

type Part = Pick<
  Handlers<Client>,
  'review/start' | 'review/stop' | 'findings/fix' | 'findings/dismiss' | 'project/reviewing' | 'file/read'
>;

const FILE_LIMIT = 1024 * 1024;

/** Reviews by a model, and files of a worktree to read. */
export function findingHandlers(context: Context, reviews: Reviews): Part {
  return {
    'review/start': (input) => reviews.start(input),
    'review/stop': async ({ reviewId }) => {
      await reviews.stop(reviewId);
      return {};
    },
    'findings/fix': (input) => reviews.fix(input),
    'findings/dismiss': async (input) => {
      await reviews.dismiss(input);
      return {};
    },
    'project/reviewing': async ({ projectId, review }) => {
      getProject(context, projectId);
      await context.store.commit({ events: [{ type: 'project.reviewing', projectId, review }] });
      return {};
    },
    'file/read': ({ taskId, path }) =>
      context.rest.during(taskId, async () => {
        const { machine } = await openWorkspace(context, taskId);
        const bytes = await machine.files.read(path, FILE_LIMIT).catch((thrown: unknown) => {
          if (thrown instanceof Failure) throw thrown;
          const code = thrown instanceof Error && 'code' in thrown ? thrown.code : '';
          throw new Failure('not-found', code === 'EISDIR' ? `${path} is a folder.` : `There is no file ${path} in the worktree now.`);
        });
        const binary = bytes.subarray(0, 8000).includes(0);
        return { text: binary ? '' : bytes.toString('utf8'), binary };
      }),
  };
}
