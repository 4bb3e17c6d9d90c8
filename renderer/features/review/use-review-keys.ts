import { useMemo, useRef } from 'react';
import { useActions } from '../../actions/hooks.ts';
import type { Action } from '../../actions/registry.ts';
import { firstChange } from './file-state.ts';
import type { Review } from './use-review.ts';

/** Registers the keys of the review pane. They act on the file and hunk where the reader is. */
export function useReviewKeys(review: Review): void {
  const latest = useRef(review);
  latest.current = review;
  const actions = useMemo((): Action[] => {
    const at = () => latest.current.place;
    const key = (id: string, title: string, keys: string[], run: () => void, footer = false): Action =>
      ({ id: `review.${id}`, title, group: 'Review', scope: 'review', keys, footer, when: () => at() !== null, run });
    const comment = () => {
      const place = at();
      const hunk = place && latest.current.diff.loaded.get(place.path)?.raw.hunks[place.hunk];
      if (!place || !hunk) return;
      latest.current.write({ path: place.path, ...firstChange(hunk) });
      latest.current.pick(place);
    };
    const here = (run: (place: NonNullable<Review['place']>) => void) => () => { const place = at(); if (place) run(place); };
    return [
      key('nextFile', 'Next file', ['j'], () => latest.current.goFile(1), true),
      key('previousFile', 'Previous file', ['k'], () => latest.current.goFile(-1)),
      key('nextHunk', 'Next hunk', ['n'], () => latest.current.goHunk(1), true),
      key('previousHunk', 'Previous hunk', ['p'], () => latest.current.goHunk(-1)),
      key('viewed', 'Viewed', ['v'], here(({ path }) => latest.current.toggleViewed(path)), true),
      key('comment', 'Comment', ['c'], comment, true),
      key('accept', 'Accept hunk', ['a'], here((place) => latest.current.accept(place)), true),
      key('discard', 'Discard hunk', ['d'], here((place) => { if (latest.current.canDiscard) latest.current.discard(place); })),
    ];
  }, []);
  useActions(actions);
}
