import { lstatSync, mkdirSync, renameSync } from 'node:fs';
import { Failure } from '../../../contract/errors.ts';

/** A host folder that commands may write, and where they see it. */
interface Area {
  source: string;
  target: string;
}

export interface Anchors {
  /** Folders of the private HOME and /tmp. */
  own: Area[];
  /** Folders of the worktree, read-only where it is. */
  worktree: Area[];
}

const within = (path: string, folder: string) => path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`);

/** The folders strictly between one and a path below it, outermost first, relative to it. */
function between(folder: string, path: string): string[] {
  const names = path
    .slice(folder.length + 1)
    .split('/')
    .slice(0, -1);
  return names.map((_, index) => names.slice(0, index + 1).join('/'));
}

/** Makes sure that this is a folder and no link; what else is in its place, left by an earlier command, is put aside. */
function plainFolder(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory()) return;
  if (found) renameSync(path, `${path}.aside-${process.pid}-${Date.now()}`);
  mkdirSync(path, { mode: 0o755 });
}

/** A folder that shows the person's HOME or our own data to every command is no worktree. */
function mustNotHold(worktree: string, inside: Record<string, string>): void {
  for (const [what, path] of Object.entries(inside)) {
    if (!within(path, worktree)) continue;
    throw new Failure(
      'cannot-confine',
      `The folder ${worktree} holds ${what} (${path}), which commands must not see, so nothing was run.`,
      {
        fix: 'Work in a worktree that lies elsewhere: start a task, or git worktree add.',
      },
    );
  }
}

/**
 * What lies above a mount in a folder that commands may write must be a mount too, onto itself: a mount can't be moved
 * away, but a folder above it could be, and replaced by a link that the next command's launcher would follow, out into the
 * host, as it makes the places to mount on. Called before the machine's first command; makes the folders.
 */
export function findAnchors(areas: { stateDir: string; home: string; worktree: string }, targets: string[]): Anchors {
  const { stateDir, home, worktree } = areas;
  mustNotHold(worktree, { 'your home folder': home, 'the data of Signalbox': stateDir });
  const own = [
    { source: `${stateDir}/tmp`, target: '/tmp' },
    { source: `${stateDir}/home`, target: home },
  ].toSorted((a, b) => b.target.length - a.target.length);
  const found: Anchors = { own: [], worktree: [] };
  const seen = new Set<string>();
  const add = (list: Area[], area: Area, target: string) => {
    for (const name of between(area.target, target)) {
      const anchor = { source: `${area.source}/${name}`, target: `${area.target}/${name}` };
      if (seen.has(anchor.target)) continue;
      seen.add(anchor.target);
      if (list === found.own) plainFolder(anchor.source);
      list.push(anchor);
    }
  };
  for (const target of [worktree, ...targets]) {
    if (target !== worktree && within(target, worktree)) {
      add(found.worktree, { source: worktree, target: worktree }, target);
      continue;
    }
    const area = own.find((each) => target !== each.target && within(target, each.target));
    if (!area) continue;
    add(found.own, area, target);
    const last = `${area.source}${target.slice(area.target.length)}`;
    const place = lstatSync(last, { throwIfNoEntry: false });
    if (place?.isSymbolicLink()) renameSync(last, `${last}.aside-${process.pid}-${Date.now()}`);
  }
  return found;
}
