import { expect, test } from 'vitest';
import { specialAddress } from '../../agent-core/sandbox/egress/addresses.ts';

test.each([
  ['127.0.0.1', 'loopback'], ['127.255.0.9', 'loopback'], ['::1', 'loopback'], ['0.0.0.0', 'reserved'], ['::', 'reserved'],
  ['10.1.2.3', 'private'], ['172.16.0.1', 'private'], ['172.31.255.255', 'private'], ['192.168.1.1', 'private'], ['fd12:3456::1', 'private'], ['fc00::1', 'private'], ['fec0::1', 'private'],
  ['169.254.0.1', 'link-local'], ['fe80::1', 'link-local'], ['febf::1', 'link-local'],
  ['169.254.169.254', 'metadata'], ['169.254.170.2', 'metadata'], ['fd00:ec2::254', 'metadata'], ['100.100.100.200', 'metadata'], ['168.63.129.16', 'metadata'],
  ['100.64.0.1', 'carrier'], ['100.127.255.255', 'carrier'], ['224.0.0.1', 'multicast'], ['239.9.9.9', 'multicast'], ['ff02::1', 'multicast'],
  ['255.255.255.255', 'reserved'], ['240.0.0.1', 'reserved'], ['192.0.2.1', 'reserved'], ['198.18.0.1', 'reserved'], ['198.19.9.9', 'reserved'], ['203.0.113.9', 'reserved'], ['2001:db8::1', 'reserved'],
  ['::ffff:8.8.8.8', 'translated'], ['::ffff:7f00:1', 'translated'], ['64:ff9b::7f00:1', 'translated'], ['64:ff9b:1::1', 'translated'], ['2002:7f00:1::', 'translated'], ['2001:0:1::1', 'reserved'],
  ['::7f00:1', 'reserved'], ['4000::1', 'reserved'], ['fe80::1%eth0', 'unknown'], ['0x7f.1', 'unknown'], ['127.1', 'unknown'], ['010.0.0.1', 'unknown'], ['', 'unknown'], ['1.2.3', 'unknown'], ['1::2::3', 'unknown'],
])('%s is %s', (address, kind) => { expect(specialAddress(address)).toBe(kind); });

test.each(['8.8.8.8', '93.184.215.14', '172.15.0.1', '172.32.0.1', '100.63.0.1', '100.128.0.1', '11.0.0.1', '223.255.255.255', '2606:4700::1111', '2a00:1450:4001::8a'])(
  '%s is of the public network', (address) => { expect(specialAddress(address)).toBeNull(); },
);
