import { useLayoutEffect, useState } from 'react';
import { createStore, type StoreApi } from 'zustand/vanilla';
import { useActions } from '../../actions/hooks.ts';
import type { Action } from '../../actions/registry.ts';
import { firstChange } from './file-state.ts';
import type { Place, Review } from './use-review.ts';

type Held = StoreApi<{ review: Review }>;

/** Not while the reader is in the conversation beside: a letter there is not meant for the diff. */
const elsewhere = (): boolean => Boolean(document.activeElement?.closest('[data-scope=conversation]'));

function comment(review: Review, place: Place): void {
  const hunk = review.diff.loaded.get(place.path)?.raw.hunks[place.hunk];
  if (!hunk) return;
  review.pick(place);
  review.write({ path: place.path, ...firstChange(hunk) });
}

function actionsOf(held: Held): Action[] {
  const key = (id: string, title: string, keys: string[], run: (review: Review, place: Place) => void, footer = false): Action => ({
    id: `review.${id}`,
    title,
    group: 'Review',
    scope: 'review',
    keys,
    footer,
    when: () => held.getState().review.place !== null && !elsewhere(),
    run: () => {
      const { review } = held.getState();
      if (review.place) run(review, review.place);
    },
  });
  return [
    key('nextFile', 'Next file', ['j'], (review) => review.goFile(1), true),
    key('previousFile', 'Previous file', ['k'], (review) => review.goFile(-1)),
    key('nextHunk', 'Next hunk', ['n'], (review) => review.goHunk(1), true),
    key('previousHunk', 'Previous hunk', ['p'], (review) => review.goHunk(-1)),
    key('viewed', 'Viewed', ['v'], (review, { path }) => review.toggleViewed(path), true),
    key('comment', 'Comment', ['c'], comment, true),
    key('accept', 'Accept hunk', ['a'], (review, place) => review.accept(place), true),
    key('discard', 'Discard hunk', ['d'], (review, place) => {
      if (review.canDiscard) review.discard(place);
    }),
  ];
}

/** Registers the keys of the review pane. They act on the file and hunk where the reader is. */
export function useReviewKeys(review: Review): void {
  const [held] = useState<Held>(() => createStore(() => ({ review })));
  useLayoutEffect(() => held.setState({ review }), [held, review]);
  const [actions] = useState(() => actionsOf(held));
  useActions(actions);
}
