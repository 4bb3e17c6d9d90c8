/** What an address is, when it is not one of the public network. */
export type Special = 'metadata' | 'loopback' | 'private' | 'link-local' | 'carrier' | 'multicast' | 'reserved' | 'translated' | 'unknown';

/** [first address, prefix length, kind]; the registries of RFC 6890 and its successors. */
const IPV4: [string, number, Special][] = [
  ['169.254.169.254', 32, 'metadata'],
  ['169.254.170.2', 32, 'metadata'],
  ['100.100.100.200', 32, 'metadata'],
  ['192.0.0.192', 32, 'metadata'],
  ['168.63.129.16', 32, 'metadata'],
  ['0.0.0.0', 8, 'reserved'],
  ['10.0.0.0', 8, 'private'],
  ['100.64.0.0', 10, 'carrier'],
  ['127.0.0.0', 8, 'loopback'],
  ['169.254.0.0', 16, 'link-local'],
  ['172.16.0.0', 12, 'private'],
  ['192.0.0.0', 24, 'reserved'],
  ['192.0.2.0', 24, 'reserved'],
  ['192.31.196.0', 24, 'reserved'],
  ['192.52.193.0', 24, 'reserved'],
  ['192.88.99.0', 24, 'reserved'],
  ['192.168.0.0', 16, 'private'],
  ['192.175.48.0', 24, 'reserved'],
  ['198.18.0.0', 15, 'reserved'],
  ['198.51.100.0', 24, 'reserved'],
  ['203.0.113.0', 24, 'reserved'],
  ['224.0.0.0', 4, 'multicast'],
  ['240.0.0.0', 4, 'reserved'],
];

/** Within 2000::/3; all outside of it is refused anyway. */
const IPV6: [string, number, Special][] = [
  ['2001::', 23, 'reserved'],
  ['2001:db8::', 32, 'reserved'],
  ['2002::', 16, 'translated'],
  ['2620:4f:8000::', 48, 'reserved'],
  ['3fff::', 20, 'reserved'],
];

const OUTSIDE: [string, number, Special][] = [
  ['fd00:ec2::254', 128, 'metadata'],
  ['fd20:ce::254', 128, 'metadata'],
  ['::1', 128, 'loopback'],
  ['::ffff:0:0', 96, 'translated'],
  ['64:ff9b::', 32, 'translated'],
  ['fe80::', 10, 'link-local'],
  ['fec0::', 10, 'private'],
  ['fc00::', 7, 'private'],
  ['ff00::', 8, 'multicast'],
];

function ipv4Number(text: string): bigint | null {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256)) return null;
  return parts.reduce((sum, part) => sum * 256n + BigInt(part), 0n);
}

function groups(text: string): string[] | null {
  if (text === '') return [];
  const found = text.split(':');
  return found.every((group) => /^[0-9a-f]{1,4}$/i.test(group)) ? found : null;
}

/** Takes the forms that resolvers give, a dotted tail included. A zone (`fe80::1%eth0`) is none. */
function ipv6Number(text: string): bigint | null {
  const tail = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  if (tail) {
    const low = ipv4Number(tail[2] ?? '');
    return low === null ? null : ipv6Number(`${tail[1]}${(low >> 16n).toString(16)}:${(low & 0xffffn).toString(16)}`);
  }
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const [head, end] = [groups(halves[0] ?? ''), groups(halves[1] ?? '')];
  if (!head || !end) return null;
  const missing = 8 - head.length - end.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return null;
  return [...head, ...Array<string>(missing).fill('0'), ...end].reduce((sum, group) => sum * 65_536n + BigInt(`0x${group}`), 0n);
}

type Range = { start: bigint; shift: bigint; kind: Special };
const ranges = (list: [string, number, Special][], bits: number, number: (text: string) => bigint | null): Range[] =>
  list.map(([first, prefix, kind]) => ({ start: (number(first) ?? 0n) >> BigInt(bits - prefix), shift: BigInt(bits - prefix), kind }));

const v4 = ranges(IPV4, 32, ipv4Number);
const v6 = ranges(IPV6, 128, ipv6Number);
const outside = ranges(OUTSIDE, 128, ipv6Number);
const find = (list: Range[], value: bigint): Special | null => list.find(({ start, shift }) => value >> shift === start)?.kind ?? null;

/**
 * What an address is that is not plainly of the public network, or null when it is. An address that can't be read is
 * `unknown`, never public. IPv6 is an allow-list: only global unicast without its reserved parts.
 */
export function specialAddress(text: string): Special | null {
  const four = ipv4Number(text);
  if (four !== null) return find(v4, four);
  const six = ipv6Number(text);
  if (six === null) return 'unknown';
  return six >> 125n === 1n ? find(v6, six) : (find(outside, six) ?? 'reserved');
}

/** The kinds in words, as in “… is a private address”. */
export const SPECIAL_WORDS: Record<Special, string> = {
  metadata: 'the metadata service of a cloud',
  loopback: 'this computer itself',
  private: 'an address of a private network',
  'link-local': 'a link-local address',
  carrier: 'an address of a carrier’s or overlay network',
  multicast: 'a multicast address',
  reserved: 'a reserved address',
  translated: 'an IPv4 address in the guise of IPv6',
  unknown: 'no address that can be told',
};
