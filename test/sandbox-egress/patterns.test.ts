import { describe, expect, test } from 'vitest';
import { Failure } from '../../agent-core/contract/errors.ts';
import { NETWORK_PRESETS as PRESETS } from '../../agent-core/contract/index.ts';
import { BadHost, matchPattern, parsePattern, readHost, readHostPort } from '../../agent-core/sandbox/egress/patterns.ts';

const granted = (pattern: string, host: string, port = 443) => matchPattern([parsePattern(pattern)], readHost(host), port) !== null;

describe('patterns', () => {
  test('an exact name is that name alone, in any case', () => {
    expect(granted('registry.npmjs.org', 'Registry.NPMJS.org')).toBe(true);
    for (const host of ['npmjs.org', 'x.registry.npmjs.org', 'registry.npmjs.org.evil.com', 'xregistry.npmjs.org'])
      expect(granted('registry.npmjs.org', host)).toBe(false);
  });

  test('*. is every name below, not the name itself and not one that ends alike', () => {
    expect(granted('*.example.com', 'a.example.com')).toBe(true);
    expect(granted('*.example.com', 'a.b.example.com')).toBe(true);
    for (const host of ['example.com', 'evilexample.com', 'example.com.evil.net']) expect(granted('*.example.com', host)).toBe(false);
  });

  test('a port is that port alone, none is any', () => {
    expect(granted('example.com:8443', 'example.com', 8443)).toBe(true);
    expect(granted('example.com:8443', 'example.com', 443)).toBe(false);
    expect(granted('*.example.com:8443', 'a.example.com', 443)).toBe(false);
    expect(granted('example.com', 'example.com', 22)).toBe(true);
  });

  test('an address is granted in its own form; nothing lies below one', () => {
    expect(granted('93.184.215.14:443', '93.184.215.14')).toBe(true);
    expect(granted('[2606:4700::0:1]', '[2606:4700::1]')).toBe(true);
    expect(granted('*.example.com', '93.184.215.14')).toBe(false);
  });

  test.each([
    '*',
    '*:443',
    '',
    '.',
    '*.',
    '*.com',
    '*.*',
    '*.*.com',
    'a*.com',
    'a.*.com',
    '**.example.com',
    'https://example.com',
    'example.com/x',
    'a b',
    'a@b',
    'example.com:',
    'example.com:0',
    'example.com:65536',
    'example.com:x',
    'example.com:443:443',
    'example.com.',
    'a..b',
    '.example.com',
    '-a.com',
    'a-.com',
    '*.1.2.3.4',
    '0x7f000001',
    '127.1',
    '2130706433',
    '0177.0.0.1',
    '[::ffff:127.0.0.1]',
    '[::1',
    '::1',
    'ex\0ample.com',
    'exämple.com',
    `${'a'.repeat(64)}.com`,
    `${'a.'.repeat(130)}com`,
    'example.com\n',
    'example.com,other.com',
  ])('%j is refused with what to write instead', (text) => {
    expect(() => parsePattern(text)).toThrow(Failure);
    try {
      parsePattern(text);
    } catch (error) {
      expect((error as Failure).detail).toMatchObject({
        code: 'invalid-input',
        fix: expect.stringContaining('registry.npmjs.org') as string,
      });
    }
  });

  test('presets are patterns', () => {
    for (const { hosts } of Object.values(PRESETS)) for (const host of hosts) expect(parsePattern(host).port).not.toBeNull();
    expect(Object.keys(PRESETS)).toEqual(['npm', 'pypi', 'crates', 'go', 'debian', 'github']);
  });
});

describe('hosts that are asked for', () => {
  test.each([
    ['NUL', 'allowed.example\0.evil.com'],
    ['a control character', 'a\tb.com'],
    ['a new line', 'a.com\r\nX: y'],
    ['DEL', 'a\x7f.com'],
    ['a trailing dot', 'a.com.'],
    ['two dots', 'a..com'],
    ['a leading dot', '.a.com'],
    ['a number', '2130706433'],
    ['hex', '0x7f000001'],
    ['hex parts', '0x7f.0.0.1'],
    ['octal', '0177.0.0.1'],
    ['few parts', '127.1'],
    ['many parts', '1.2.3.4.5'],
    ['too large parts', '1.2.3.256'],
    ['a name that ends in a number', 'a.example.7'],
    ['a name that ends in hex', 'a.0x7'],
    ['mapped IPv6', '[::ffff:127.0.0.1]'],
    ['mapped IPv6 in hex', '[::ffff:7f00:1]'],
    ['compatible IPv6', '[::7f00:1]'],
    ['a zone', '[fe80::1%eth0]'],
    ['half a bracket', '[::1'],
    ['a bare IPv6', '::1'],
    ['a full-width dot', 'a．com'],
    ['an umlaut', 'ä.com'],
    ['a per cent', 'a%2ecom'],
    ['a user', 'a@b.com'],
    ['a space', 'a b'],
    ['nothing', ''],
  ])('%s is refused', (_what, text) => {
    expect(() => readHost(text)).toThrow(BadHost);
  });

  test('what remains has one spelling', () => {
    expect(readHost('XN--Bcher-kva.Example')).toEqual({ kind: 'name', text: 'xn--bcher-kva.example' });
    expect(readHost('[2001:DB8:0:0::1]')).toEqual({ kind: 'address', text: '2001:db8::1' });
    expect(readHostPort('a.com', 80)).toEqual({ host: { kind: 'name', text: 'a.com' }, port: 80 });
    expect(readHostPort('[::1]:81', 80)).toEqual({ host: { kind: 'address', text: '::1' }, port: 81 });
    expect(() => readHostPort('a.com:080', 80)).toThrow(BadHost);
  });
});
