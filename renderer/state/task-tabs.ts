import type { TaskTab } from './ui.ts';

const pair: readonly TaskTab[] = ['conversation', 'changes'];

/** What a click on a tab shows: conversation and changes join side by side where there is room, the rest stand alone. */
export function tabsAfter(tabs: readonly TaskTab[], picked: TaskTab, wide: boolean): readonly TaskTab[] {
  const other = picked === 'conversation' ? 'changes' : 'conversation';
  const joins = wide && pair.includes(picked) && tabs.length === 1 && tabs[0] === other;
  return joins ? pair : [picked];
}
