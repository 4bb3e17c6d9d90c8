import { setTimeout as sleep } from 'node:timers/promises';
import type { KillTree } from './pipes.ts';

/** What a tree can be asked, whichever way a driver finds it. */
export interface Tree {
  /** The living processes of the command, as the core numbers them. */
  pids(): number[];
  /** Whether the command itself runs, and not only what puts the fence up around it. */
  begun(): boolean;
  signal(pids: number[], signal: NodeJS.Signals): void;
  /** Ends the launcher itself, for a command that has not begun. */
  endLauncher(): void;
  exited: () => Promise<unknown>;
  /** Keeps what tells the tree from others until as many `release`s. */
  hold(): void;
  release(): void;
}

/** From SIGTERM to SIGKILL. */
export const GRACE_MS = 2000;
const CHECK_MS = 20;

async function goneWithin(tree: Tree, ms: number): Promise<boolean> {
  const until = performance.now() + ms;
  while (tree.pids().length > 0) {
    if (performance.now() >= until) return false;
    await sleep(CHECK_MS);
  }
  return true;
}

/** A launcher that was just started has nothing inside yet: waits until it has, or has ended, so that nothing slips away. */
async function begun(tree: Tree): Promise<void> {
  let over = false;
  void tree.exited().then(() => {
    over = true;
  });
  for (const until = performance.now() + 5000; !over && !tree.begun() && performance.now() < until;) await sleep(2);
}

async function killHard(tree: Tree): Promise<void> {
  // A fork bomb makes new ones between two looks: stop them all first, then end them, until none is left.
  for (let pids = tree.pids(); pids.length > 0; pids = tree.pids()) {
    tree.signal(pids, 'SIGSTOP');
    tree.signal(pids, 'SIGKILL');
    await sleep(2);
  }
}

/** Ends trees: interrupt is one SIGINT to all; terminate is SIGTERM and, two seconds later, SIGKILL. */
export function treeKiller(tree: Tree): KillTree {
  const end: KillTree = async (how) => {
    await begun(tree);
    const pids = tree.pids();
    if (how === 'interrupt') {
      tree.signal(pids, 'SIGINT');
      await Promise.race([tree.exited(), sleep(GRACE_MS, undefined, { ref: false })]);
      return;
    }
    if (how === 'terminate') {
      tree.signal(pids, 'SIGTERM');
      tree.signal(pids, 'SIGCONT');
      await goneWithin(tree, GRACE_MS);
    }
    await killHard(tree);
    // The launcher still has to tell how its command ended.
    const told = await Promise.race([tree.exited().then(() => true), sleep(GRACE_MS, false, { ref: false })]);
    if (!told) tree.endLauncher();
    await tree.exited();
  };
  return async (how) => {
    tree.hold();
    try {
      await end(how);
    } finally {
      tree.release();
    }
  };
}
