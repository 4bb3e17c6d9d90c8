import { useCallback, useState } from 'react';
import type { DiffFile } from '../../../agent-core/contract/index.ts';
import type { Comment } from './draft.ts';
import type { RawHunk } from './patch.ts';

/**
 * What a reader noted about a task's changes, kept in this browser: files viewed (at which content), hunks accepted
 * and the comments of the draft. It is the reader's own, not history, so it never goes to the core.
 */
export interface Marks {
  viewed: Record<string, string>;
  accepted: Record<string, true>;
  comments: Comment[];
}

const none: Marks = { viewed: {}, accepted: {}, comments: [] };
const place = (taskId: string): string => `signalbox.review.${taskId}`;

function load(taskId: string): Marks {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(place(taskId)) ?? 'null');
    return found && typeof found === 'object' ? { ...none, ...found } : none;
  } catch {
    return none;
  }
}

/** What a file held when it was marked: another content is not viewed any more. */
export const contentOf = (file: DiffFile): string =>
  `${file.oldBlob ?? ''}:${file.newBlob ?? ''}:${file.added ?? ''}:${file.removed ?? ''}`;

export const isViewed = (marks: Marks, file: DiffFile): boolean => marks.viewed[file.path] === contentOf(file);

/** A hunk by what it says, not by where it stands: it stays accepted when lines move above it. */
export function hunkId(path: string, hunk: RawHunk): string {
  let sum = 5381;
  for (const line of hunk.lines) for (let index = 0; index < line.length; index++) sum = (sum * 33 + line.charCodeAt(index)) | 0;
  return `${path}#${sum >>> 0}`;
}

/** The reader's marks on one task, and how to change them. A full or missing storage keeps them for this visit only. */
export function useMarks(taskId: string): [Marks, (change: (marks: Marks) => Marks) => void] {
  const [held, setHeld] = useState(() => ({ taskId, marks: load(taskId) }));
  const current = held.taskId === taskId ? held.marks : load(taskId);
  const change = useCallback(
    (make: (marks: Marks) => Marks) => {
      setHeld((before) => {
        const marks = make(before.taskId === taskId ? before.marks : load(taskId));
        try {
          localStorage.setItem(place(taskId), JSON.stringify(marks));
        } catch {
          /* kept in memory */
        }
        return { taskId, marks };
      });
    },
    [taskId],
  );
  return [current, change];
}
