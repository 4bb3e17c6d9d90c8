import { ProjectId, TaskId } from '../../agent-core/contract/index.ts';
import { attempt, runAction } from '../actions/registry.ts';
import { rpc } from '../state/store.ts';
import { go } from '../state/route.ts';

/** Runs what the app's menu, a notification or a second start asks for. Nothing to do in a browser. */
export function followShell(): void {
  window.signalbox?.onCommand(({ action, subject }) => {
    if (action === 'project.open' && subject) {
      void attempt(async () => {
        const project = await rpc().call('project/open', { path: subject });
        go({ place: 'board', project: ProjectId.parse(project.id), filter: null });
      }, null);
      return;
    }
    const taskId = TaskId.safeParse(subject);
    void runAction(action, taskId.success ? taskId.data : null);
  });
}
