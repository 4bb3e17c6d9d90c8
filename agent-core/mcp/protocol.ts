import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { Failure, type McpServer } from '../contract/index.ts';
import { wordsOf } from './connection.ts';

export { McpConnection } from './connection.ts';
export { launch } from './launch.ts';
export { Account, signIn } from './oauth.ts';
export { readsOnly, toolsOf } from './tools.ts';

/** Whether a server refused because nobody is signed in. */
export const wantsSignIn = (error: unknown): boolean => error instanceof UnauthorizedError;

/** Why a server is not there, with what to do. */
export function failureOf(server: McpServer, error: unknown, output: string): Failure {
  if (error instanceof Failure) return error;
  const stdio = server.transport.kind === 'stdio' ? server.transport : null;
  if (wantsSignIn(error))
    return new Failure('unauthorized', `The server “${server.name}” wants you to sign in.`, { fix: 'Sign in on the page of MCP servers.' });
  return new Failure('conflict', `The server “${server.name}” did not start: ${wordsOf(error)}`, {
    ...(stdio ? { command: [stdio.command, ...stdio.args].join(' ') } : {}),
    ...(output ? { output } : {}),
    fix: stdio
      ? 'It runs in a sandbox of its own: name the hosts and folders that it needs, or a longer time to start.'
      : 'Check its address, and whether it wants a key or an account.',
  });
}
