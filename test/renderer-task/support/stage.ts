import { expect } from 'vitest';
import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, BrowserContextOptions, Page } from 'playwright';
import type { Board, Item, Turn } from '../../../agent-core/contract/index.ts';
import { StandInCore } from './core.ts';
import { board as someBoard, ids, turn as someTurn } from './fixtures.ts';
import { builtPage, startBrowser } from './page.ts';
import type { DiffRepo } from './repo.ts';

/** A task page in a real browser, in front of a stand-in core. */
export interface Stage {
  core: StandInCore;
  page: Page;
  problems: string[];
  close: () => Promise<void>;
}

let browser: Promise<Browser> | undefined;
export const shutBrowser = async (): Promise<void> => {
  await (await browser)?.close();
  browser = undefined;
};

export interface Setting {
  board?: Board;
  items?: Item[];
  turns?: Turn[];
  more?: boolean;
  repo?: DiffRepo;
  tabs?: string[];
  sidebar?: boolean;
  context?: BrowserContextOptions;
  answers?: StandInCore['answers'];
}

/** Opens the task page. `tabs` are the ones to show; errors that the page reports are kept in `problems`. */
export async function stage({
  board = someBoard(),
  items = [],
  turns = [someTurn()],
  more = false,
  repo,
  tabs = ['conversation'],
  sidebar = true,
  context = {},
  answers = {},
}: Setting = {}): Promise<Stage> {
  const core = await StandInCore.start(await builtPage(), board);
  core.answers = {
    'thread/read': () => ({ thread: core.board.threads[ids.thread]!, items, turns, more, seq: core.now }),
    'terminal/list': () => ({ terminals: [] }),
    'diff/read': () => repo?.read() ?? { from: 'a', to: 'b', files: [] },
    'diff/patch': (input) => repo?.patch(input.paths, input.ignoreWhitespace) ?? { patch: '', truncated: false },
    ...answers,
  };
  browser ??= startBrowser();
  const held = await (await browser).newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce', ...context });
  await held.addInitScript((value) => localStorage.setItem('signalbox.ui', value), JSON.stringify({ tabs, sidebar }));
  const page = await held.newPage();
  page.setDefaultTimeout(8_000);
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text());
  });
  await page.goto(`${core.url}/?x#/task/${ids.task}`);
  await page.getByRole('tab', { name: 'Conversation' }).waitFor();
  return {
    core,
    page,
    problems,
    close: async () => {
      await held.close();
      await core.stop();
    },
  };
}

/** What axe finds wrong, as short lines. */
export async function axe(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).include('.task-frame').analyze();
  return violations.flatMap((violation) =>
    violation.nodes.map((node) => `${violation.id}: ${node.html.slice(0, 160)} ${node.failureSummary?.split('\n')[1] ?? ''}`),
  );
}

/** Waits until what is read is so; longer than a busy machine needs. */
export const soon = <T>(read: () => T) => expect.poll(read, { timeout: 10_000 });
