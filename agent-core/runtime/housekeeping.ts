import { workspaceOf } from '../contract/index.ts';
import { DEFAULT_RETENTION, type Retention } from '../workspace/expiry.ts';
import type { Context } from './context.ts';
import type { Ending } from './ending.ts';

/** Not while a person waits for the app to open; then a few times a day. */
const FIRST_MS = 10 * 60_000;
const EACH_MS = 6 * 60 * 60_000;

/** Lets go of what is past its time: tasks in the trash, and old checkpoints. What would lose work stays, however old. */
export class Housekeeping {
  readonly #context: Context;
  readonly #ending: Ending;
  #timer: NodeJS.Timeout | undefined;

  constructor(context: Context, ending: Ending) {
    this.#context = context;
    this.#ending = ending;
  }

  begin(): void {
    const round = (): void => {
      void this.run().catch((error: unknown) => this.#context.log('letting go of old things', error));
    };
    this.#timer = setTimeout(() => {
      round();
      this.#timer = setInterval(round, EACH_MS);
      this.#timer.unref();
    }, FIRST_MS);
    this.#timer.unref();
  }

  dispose(): void {
    clearTimeout(this.#timer);
  }

  get #retention(): Retention {
    const { retentionDays } = this.#context.store.board.settings;
    return { ...DEFAULT_RETENTION, ...(retentionDays === undefined ? {} : { days: retentionDays }) };
  }

  async run(now = this.#context.now()): Promise<void> {
    const { store, workspaces, log } = this.#context;
    const retention = this.#retention;
    for (const id of await workspaces.expired(retention, now)) {
      const task = Object.values(store.board.tasks).find((each) => workspaceOf(store.board, each)?.id === id);
      // Of a home that was put back from a back-up: nobody's card, and not ours to judge.
      if (task?.phase !== 'trashed') continue;
      await workspaces.keepBranch(id);
      await this.#ending.purge(task.id).catch((error: unknown) => log(`letting go of ${task.id}`, error));
    }
    const shown = Object.values(store.board.tasks).flatMap(({ seen, startTree }) =>
      [seen, startTree].filter((tree) => typeof tree === 'string'),
    );
    await workspaces.expireCheckpoints(retention, new Set(shown), now);
  }
}
