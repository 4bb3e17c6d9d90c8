import type { WebFrameMain } from 'electron';

/** The page's own origin: the only one that may ask main for anything. */
export const PAGE = 'app://signalbox';

/** Whether an address is one of our page's. Anything that doesn't parse isn't. */
export function isOurPage(address: string): boolean {
  try {
    const { protocol, host } = new URL(address);
    return `${protocol}//${host}` === PAGE;
  } catch {
    return false;
  }
}

/** Whether a message came from the top frame of our own page, not from something that got itself embedded. */
export const isOurFrame = (frame: WebFrameMain | null): boolean => frame !== null && frame.parent === null && isOurPage(frame.url);
