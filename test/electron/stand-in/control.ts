/** What the stand-in tells the test, over the app process's IPC channel. */
export type Report =
  | { kind: 'core'; pid: number }
  | { kind: 'opened-link'; url: string }
  | { kind: 'notified'; title: string; body: string }
  | { kind: 'error-box'; title: string; content: string }
  | { kind: 'menu'; labels: string[] }
  | { kind: 'permission'; permission: string; allowed: boolean }
  | { kind: 'quit' };

/** What the test asks of the stand-in. */
export type Order =
  | { kind: 'pick'; path: string | null }
  | { kind: 'focus'; focused: boolean }
  | { kind: 'click-notification' }
  | { kind: 'click-menu'; label: string }
  | { kind: 'second-instance'; argv: string[]; cwd: string }
  | { kind: 'ask-permission'; permission: string; url: string }
  | { kind: 'quit' };

export const report = (message: Report): void => void (process.connected && process.send?.(message));

const takers = new Map<Order['kind'], (order: never) => void>();

export function onOrder<K extends Order['kind']>(kind: K, take: (order: Extract<Order, { kind: K }>) => void): void {
  takers.set(kind, take);
}

process.on('message', (order: Order) => takers.get(order.kind)?.(order as never));
