// A server by hand: it speaks just enough of the protocol to be wrong in the way that its argument names.
import { createInterface } from 'node:readline';
import process from 'node:process';

const [how] = process.argv.slice(2);
const say = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
const tool = (name, more = {}) => ({ name, description: `does ${name}`, inputSchema: { type: 'object', properties: {} }, ...more });

if (how === 'garbage') process.stdout.write('Welcome!\n{"not": "a message"}\n\u0000\u0001\u0002\n');
if (how === 'dies') {
  process.stderr.write('no token in MY_TOKEN\n');
  process.exit(3);
}
if (how === 'endless') {
  const flood = () => process.stdout.write('x'.repeat(1 << 20), flood);
  flood();
}
if (how === 'hangs') setInterval(() => {}, 1_000_000);
else
  createInterface({ input: process.stdin }).on('line', (line) => {
    const { id, method, params } = JSON.parse(line);
    if (method === 'initialize')
      say({
        id,
        result: {
          protocolVersion: params.protocolVersion,
          capabilities: { tools: { listChanged: true } },
          serverInfo: { name: 'odd', version: '1' },
        },
      });
    else if (method === 'tools/list' && how === 'pages') say({ id, result: { tools: [], nextCursor: 'more' } });
    else if (method === 'tools/list' && how === 'pattern')
      say({
        id,
        result: {
          tools: [
            tool('look', {
              annotations: { readOnlyHint: true },
              outputSchema: { type: 'object', properties: { x: { type: 'string', pattern: '^(a+)+$' } } },
            }),
            tool('wide', { inputSchema: { type: 'object', properties: {}, description: 'z'.repeat(100_000) } }),
          ],
        },
      });
    else if (method === 'tools/list')
      say({
        id,
        result: {
          tools: [
            tool('look', { annotations: { readOnlyHint: true } }),
            tool('do it/now!'),
            tool('a'.repeat(80), { annotations: { readOnlyHint: true } }),
            tool('exec_command', { annotations: { readOnlyHint: true } }),
          ],
        },
      });
    else if (method === 'tools/call' && how === 'slow') return;
    else if (method === 'tools/call' && how === 'pattern')
      say({ id, result: { content: [], structuredContent: { x: `${'a'.repeat(40)}!` } } });
    else if (method === 'tools/call' && how === 'scolds') say({ id, error: { code: -32000, message: 'w'.repeat(3_000_000) } });
    else if (method === 'tools/call' && how === 'quits') process.exit(1);
    else if (method === 'tools/call' && how === 'huge') say({ id, result: { content: [{ type: 'text', text: 'y'.repeat(3_000_000) }] } });
    else if (method === 'tools/call' && how === 'wrong') say({ id, result: { content: 'no list' } });
    else if (method === 'tools/call')
      say({ id, result: { content: [{ type: 'text', text: `secret is ${process.env.MY_TOKEN ?? 'none'}` }] } });
  });
