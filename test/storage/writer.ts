/** Writes until it is killed; prints the name of each record once the store has acknowledged it. */
import { defaultSettings } from '../../agent-core/runtime/settings.ts';
import { Store } from '../../agent-core/storage/store.ts';
import { newId } from '../../agent-core/support/ids.ts';
import type { ProjectId } from '../../agent-core/contract/index.ts';

const store = new Store(process.argv[2]!, defaultSettings());
for (let n = 0; n < 100_000; n++) {
  const name = `p${n}`;
  await store.commit({
    events: [
      {
        type: 'project.opened',
        project: {
          id: newId<ProjectId>('proj'),
          name,
          root: `/${name}`,
          repo: `/${name}`,
          subdir: '',
          gitDir: `/${name}/.git`,
          sample: false,
          openedAt: n,
        },
      },
    ],
  });
  process.stdout.write(`${name}\n`);
}
