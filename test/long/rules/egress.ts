import { rule, type Rule } from '../support/rule.ts';

const file = (name: string) => `agent-core/sandbox/egress/${name}.ts`;
/** All of these run with a resolver and a dialler of their own: what leads nowhere in the test is noted, and nothing is sent. */
const [PROXY, TUNNELS, PATTERNS, ADDRESSES, HELLO] = ['proxy', 'tunnels', 'patterns', 'addresses', 'client-hello'].map((name) => [
  `test/sandbox-egress/${name}.test.ts`,
]) as [string[], string[], string[], string[], string[]];

export const EGRESS: Rule[] = [
  rule(
    'the proxy: allowed hosts alone',
    [
      file('gate'),
      '    if (pattern) return pattern;\n',
      '    if (pattern) return pattern;\n    if (host.text) return { below: false, host, port };\n',
    ],
    PROXY,
    { only: 'not allowed' },
  ),
  rule('the proxy: ports', [file('patterns'), '(pattern.port === null || pattern.port === port) && ', ''], PROXY, { only: 'another port' }),
  rule(
    'the proxy: *. is below alone',
    [file('patterns'), 'host.text.endsWith(`.${pattern.host.text}`)', 'host.text.endsWith(pattern.host.text)'],
    PATTERNS,
  ),
  rule(
    'the proxy: no * for all',
    [
      file('patterns'),
      "  if (text === '*' || text.startsWith('*:')) throw new BadHost('It would open every host.');\n",
      "  if (text === '*') return { below: true, host: { kind: 'name', text: '' }, port: null };\n",
    ],
    PATTERNS,
  ),
  rule(
    'the proxy: no whole top-level domain',
    [file('patterns'), "  if (below && !host.text.includes('.')) throw new BadHost('It would open a whole top-level domain.');\n"],
    PATTERNS,
  ),
  rule(
    'the proxy: no control characters',
    [file('patterns'), "    if (code < 0x20 || code === 0x7f) throw new BadHost('A host name has no NUL or control characters in it.');\n"],
    PATTERNS,
    { skip: 'what is no label is refused by the next rules as well' },
  ),
  rule(
    'the proxy: no trailing dot',
    [
      file('patterns'),
      "  if (name.endsWith('.')) throw new BadHost('A host name with a dot at its end is not taken.');\n",
      "  if (name.endsWith('.')) return readHost(name.slice(0, -1));\n",
    ],
    PATTERNS,
  ),
  rule(
    'the proxy: no addresses as odd numbers',
    [
      file('patterns'),
      "  if (NUMBER.test(labels.at(-1) ?? '')) throw new BadHost('An address is taken in plain dotted form only, such as 192.0.2.1.');\n",
    ],
    PATTERNS,
  ),
  rule(
    'the proxy: no IPv4 as IPv6',
    [file('patterns'), "  if (/^::(?!1?$)/.test(plain)) throw new BadHost('An IPv4 address written as IPv6 is not taken.');\n"],
    PATTERNS,
  ),
  rule(
    'the proxy: private addresses',
    [
      file('gate'),
      'if (special === null || service || meant(pattern, target, special)) return true;',
      'if (special !== undefined) return true;',
    ],
    PROXY,
    { only: 'public network|private' },
  ),
  rule(
    'the proxy: metadata is no host',
    [
      file('gate'),
      "  if (pattern.below || pattern.port === null || special === 'metadata') return false;",
      '  if (pattern.below || pattern.port === null) return false;',
    ],
    PROXY,
  ),
  rule(
    'the proxy: a bare address with its port',
    [file('gate'), "pattern.below || pattern.port === null || special === 'metadata'", "pattern.below || special === 'metadata'"],
    PROXY,
  ),
  rule('the proxy: IPv6 is an allow-list', [file('addresses'), "(find(outside, six) ?? 'reserved')", 'find(outside, six)'], ADDRESSES),
  rule(
    'the proxy: what can’t be read is not public',
    [file('addresses'), "  if (six === null) return 'unknown';", '  if (six === null) return null;'],
    ADDRESSES,
  ),
  ...[
    '10.0.0.0',
    '100.64.0.0',
    '127.0.0.0',
    '169.254.0.0',
    '172.16.0.0',
    '192.168.0.0',
    '169.254.169.254',
    '0.0.0.0',
    '224.0.0.0',
    '240.0.0.0',
  ].map((range) => {
    return rule(`the proxy: the range ${range}`, [file('addresses'), `  ['${range}', `, `  ['203.0.113.${range.length}', `], ADDRESSES);
  }),
  rule(
    'the proxy: the Host header of a CONNECT',
    [file('proxy'), 'readHost(splitPort(named).host).text !== wanted.host.text', "named === ''"],
    TUNNELS,
    { only: 'Host says something else' },
  ),
  rule(
    'the proxy: the Host header of a request',
    [file('http'), 'if (named.host.text !== target.host.text || ', 'if (named.host.text === target.host.text && '],
    PROXY,
  ),
  rule(
    'the proxy: one Host header',
    [file('http'), "  if (hosts.length > 1) throw new Blocked('A request has one Host header.');\n"],
    PROXY,
  ),
  rule(
    'the proxy: a tunnel is for its host alone',
    [file('http'), '  if (tunnel && !same(target, tunnel))', '  if (tunnel && !target)'],
    TUNNELS,
    { skip: 'a request for another host is decided by itself as well, and never gets the tunnel’s connection' },
  ),
  rule(
    'the proxy: the TLS server name',
    [file('tunnel'), "  if (name === target.host.text) return 'tls';", "  if (name !== '') return 'tls';"],
    TUNNELS,
  ),
  rule(
    'the proxy: nothing but TLS on 443',
    [file('tunnel'), 'target.port === 443 || bytes[0] === TLS_RECORD', 'bytes[0] === TLS_RECORD'],
    TUNNELS,
  ),
  rule('the proxy: TLS on any port', [file('tunnel'), 'target.port === 443 || bytes[0] === TLS_RECORD', 'target.port === 443'], TUNNELS),
  rule(
    'the proxy: no name towards an address',
    [file('tunnel'), "if (hello.found === 'none' && hello.nameless) return 'tls';\n  return checkHello(bytes, target);", "return 'tls';"],
    TUNNELS,
  ),
  rule(
    'the proxy: no hidden server name',
    [
      file('client-hello'),
      "    if (ENCRYPTED.has(type)) return none('the TLS greeting hides its server name (encrypted client hello)');\n",
    ],
    HELLO,
  ),
  rule('the proxy: one extension of a kind', [file('client-hello'), '    if (seen.has(type)) return none(MALFORMED);\n'], HELLO),
  rule(
    'the proxy: SOCKS connects, no more',
    [
      file('socks'),
      "  if (command !== 1) throw new BadSocks(REPLY.noCommand, 'Only connections go this way: nothing listens, and no UDP.');\n",
    ],
    TUNNELS,
  ),
  rule(
    'the proxy: so many connections',
    [file('proxy'), '    if (this.#clients.size >= this.#most) {', '    if (this.#clients.size < 0) {'],
    PROXY,
    { only: 'one too many' },
  ),
  rule('the proxy: idle connections end', [file('proxy'), '    endWhenIdle(client, this.#idleMs);\n'], PROXY, { only: 'idles' }),
  rule(
    'the proxy: tunnels are cut when rules change',
    [file('proxy'), 'if (!matchPattern([...rules.allow, ...rules.services], host, port)) client.destroy();', ''],
    PROXY,
    { only: 'rules that change' },
  ),
];
