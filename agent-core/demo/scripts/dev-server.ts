import type { Script } from '../play.ts';
import { Ending, declinedText, lookAround, resultAt, run, type Part } from './common.ts';
import type { Result } from '../conversation.ts';

/** Asks a page, with curl or, where there is none, with Node. */
const get = (url: string) => run(`curl -sS --max-time 5 ${url} || node -e "fetch('${url}').then((r) => r.text()).then(console.log)"`);

function* start(): Part<Result> {
  const results = yield { say: 'I start it in the background.', calls: [run('node src/server.js', { yield_time_ms: 1500 })] };
  let server = resultAt(results, 0);
  if (server.declined !== null)
    throw new Ending(`${declinedText(server, 'Starting the server')}, so there is nothing to check. I changed nothing.`);
  // A slow machine may need longer than the first look.
  for (let look = 0; look < 5 && server.session !== null && !server.output.includes('http://'); look += 1) {
    const [more] = yield { calls: [{ tool: 'write_stdin', session_id: server.session, chars: '' }] };
    if (more) server = more;
  }
  return server;
}

/** Start the dev server in the background, ask it, and report. */
export const devServer: Script = function* () {
  const seen = yield* lookAround(
    'I look how the shop is started.',
    '; cat src/server.js; echo "network: ${SIGNALBOX_SANDBOX_NETWORK_DISABLED:+closed}"',
  );
  const fenced = seen.output.includes('network: closed');
  const server = yield* start();
  const busy = server.session === null && server.output.includes('EADDRINUSE');
  const port = /EADDRINUSE[^]*?:(\d+)/.exec(server.output)?.[1] ?? '4173';
  const url = /http:\/\/127\.0\.0\.1:\d+/.exec(server.output)?.[0] ?? (busy ? `http://127.0.0.1:${port}` : null);
  if (url === null) return `The server did not start:\n\n    ${server.output.trim().split('\n').join('\n    ')}\n\nI changed nothing.`;
  const answers = yield {
    say: busy ? `A server is running here already, on ${url}. I ask that one.` : `It is up on ${url}. Now from another command:`,
    calls: [get(`${url}/health`), get(`${url}/invoices/1`), get(`${url}/nowhere`)],
  };
  const [health, invoice, nowhere] = [0, 1, 2].map((at) => resultAt(answers, at));
  if (!health?.output.includes('"ok"'))
    return `The server started, but \`/health\` did not answer as it should:\n\n    ${health?.output.trim() ?? ''}`;
  const indented = invoice?.output.trim().split('\n').join('\n    ') ?? '';
  return [
    `The shop is open on ${url}${fenced ? ", inside this task's sandbox" : ''}: \`/health\` says \`${health.output.trim()}\`, a page that isn't there says “${nowhere?.output.trim() ?? ''}”.`,
    `\`/invoices/1\` serves:\n\n    ${indented}`,
    `It is still running${server.session === null ? '' : ` as session ${server.session}`}: \`curl ${url}/products\` in the Terminal tab reaches it${fenced ? '; from outside of this task nothing does' : ''}. I changed no file.`,
  ].join('\n\n');
};
