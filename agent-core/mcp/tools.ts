import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { ItemOf, McpServer, McpToolChoice } from '../contract/index.ts';
import { truncateOutput } from '../harness/tools/output.ts';
import { Rejected, type Call, type Tool, type ToolOutput } from '../harness/tools/types.ts';
import { wordsOf, type McpConnection, type ServerTool } from './connection.ts';
import { outputOf, textOf } from './result.ts';

/** What APIs take as a function's name. */
const NAME_LIMIT = 64;
/** Arguments as they are shown when a person is asked. */
const SHOWN_ARGUMENTS = 2000;

export interface Offered {
  server: McpServer;
  connection: McpConnection;
  tools: readonly ServerTool[];
}

/** `mcp__server__tool` in the characters and the length that APIs take; a name that had to be cut ends in a hash of it. */
export function toolName(server: string, tool: string): string {
  const whole = `mcp__${server}__${tool}`;
  const plain = whole.replace(/[^A-Za-z0-9_-]/g, '_');
  if (plain === whole && plain.length <= NAME_LIMIT) return plain;
  const mark = createHash('sha256').update(whole).digest('hex').slice(0, 8);
  return `${plain.slice(0, NAME_LIMIT - 9)}_${mark}`;
}

export const readsOnly = (tool: ServerTool): boolean => tool.annotations?.readOnlyHint === true;
const choiceOf = (server: McpServer, tool: ServerTool): McpToolChoice => server.tools[tool.name] ?? 'auto';

/** The tools that a task's servers offer, by server and name: the same bytes in each request as long as nothing changes. */
export function toolsOf(offered: readonly Offered[]): Tool[] {
  const sorted = offered.toSorted((a, b) => (a.server.name < b.server.name ? -1 : 1));
  const own = sorted.flatMap(({ server, connection, tools }) =>
    tools
      .filter((tool) => choiceOf(server, tool) !== 'off')
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .map((tool) => remote(server, connection, tool)),
  );
  const named = [...new Map(own.map((tool) => [tool.name, tool])).values()];
  const withResources = sorted.filter(({ connection }) => connection.hasResources);
  return withResources.length ? [...named, ...resourceTools(withResources)] : named;
}

function remote(server: McpServer, connection: McpConnection, tool: ServerTool): Tool {
  const name = toolName(server.name, tool.name);
  return {
    name,
    parallel: readsOnly(tool),
    spec: () => ({
      type: 'function',
      name,
      strict: false,
      description: truncateOutput(tool.description ?? tool.title ?? tool.name, 1000),
      parameters: { properties: {}, ...tool.inputSchema, type: 'object' },
    }),
    run: (args, call) =>
      during(name, args, call, async (item) => {
        const given = z.record(z.string(), z.unknown()).safeParse(args);
        if (!given.success) throw new Rejected(`${name} failed: its arguments are an object`);
        await mayCall(server, tool, name, item, call);
        const result = await connection.call(tool.name, given.data, call.input.signal);
        return { output: outputOf(result), shown: textOf(result), failed: result.isError === true };
      }),
  };
}

/** Nobody may take a part of them for all. */
const shownArguments = (text: string): string =>
  text.length <= SHOWN_ARGUMENTS
    ? text
    : `${text.slice(0, SHOWN_ARGUMENTS)}… (${text.length - SHOWN_ARGUMENTS} more characters, which are not shown)`;

/** Asks the person where the server, the mode or the approval policy want it. Throws {@link Rejected} when it may not be. */
async function mayCall(server: McpServer, tool: ServerTool, name: string, item: ItemOf<'toolCall'>, call: Call): Promise<void> {
  const { approval, mode } = call.input;
  const choice = choiceOf(server, tool);
  if (mode === 'read-only' && !readsOnly(tool) && choice !== 'allow')
    throw new Rejected(`${name} failed: this task only reads, and the server does not say that this tool does`);
  const asks = choice === 'ask' || mode === 'ask' || approval === 'untrusted' || (choice === 'auto' && !readsOnly(tool));
  if (!asks || call.host.toolAllowed?.(name)) return;
  if (approval === 'never')
    throw new Rejected(
      `${name} failed: this tool asks a person first and nobody is there to ask (approval policy: never). Do without, or say in your answer what a person should do`,
    );
  await call.recorded;
  const { decision, note } = await call.host.approve({
    itemId: item.id,
    kind: 'mcp',
    subject: `${server.name}: ${tool.name} ${shownArguments(item.arguments)}`,
    argv: null,
    cwd: '',
    reason: '',
    effect: `Lets the server “${server.name}” do this once.`,
    prefix: [name],
    callId: call.id,
  });
  if (decision !== 'approved') throw new Rejected(note.trim() ? `rejected by user: ${note.trim()}` : 'rejected by user');
}

interface Done {
  output: ToolOutput;
  shown: string;
  failed: boolean;
}

/** One call as an item of the conversation. What the server does wrong is told to the model. */
async function during(name: string, args: unknown, call: Call, work: (item: ItemOf<'toolCall'>) => Promise<Done>): Promise<ToolOutput> {
  const item: ItemOf<'toolCall'> = {
    ...call.item('toolCall'),
    name,
    arguments: JSON.stringify(args ?? {}),
    status: 'running',
    output: '',
  };
  await call.begin(item);
  const end = (status: ItemOf<'toolCall'>['status'], output: string): void =>
    call.end({ ...item, endedAt: Date.now(), status, output: truncateOutput(output) });
  try {
    const { output, shown, failed } = await work(item);
    end(failed ? 'failed' : 'completed', shown);
    return output;
  } catch (thrown) {
    if (call.input.signal.aborted) throw thrown;
    const why = thrown instanceof Rejected ? thrown.message : `${name} failed: ${wordsOf(thrown)}`;
    end(thrown instanceof Rejected ? 'declined' : 'failed', why);
    return why;
  }
}

const string = (description: string) => ({ type: 'string', description });
const Where = z.object({ server: z.string().optional(), cursor: z.string().optional() });

/** Reading what servers offer besides tools, under the names that models know. */
function resourceTools(offered: readonly Offered[]): Tool[] {
  const chosen = (name: string | undefined): Offered[] => {
    const found = offered.filter(({ server }) => name === undefined || server.name === name);
    if (!found.length)
      throw new Error(`there is no server “${name}” with resources; there are: ${offered.map(({ server }) => server.name).join(', ')}`);
    return found;
  };
  const lister = (
    name: string,
    description: string,
    list: (one: Offered, cursor: string | undefined, signal: AbortSignal) => Promise<object>,
  ): Tool => ({
    name,
    parallel: true,
    spec: () => ({
      type: 'function',
      name,
      strict: false,
      description,
      parameters: {
        type: 'object',
        additionalProperties: false,
        properties: { server: string('One server only.'), cursor: string('From an earlier answer; names a server too.') },
      },
    }),
    run: (args, call) =>
      during(name, args, call, async () => {
        const { server, cursor } = Where.parse(args ?? {});
        const found = await Promise.all(
          chosen(server).map(async (one) => ({ server: one.server.name, ...(await list(one, cursor, call.input.signal)) })),
        );
        return plain(JSON.stringify(found));
      }),
  });
  const read: Tool = {
    name: 'read_mcp_resource',
    parallel: true,
    spec: () => ({
      type: 'function',
      name: 'read_mcp_resource',
      strict: false,
      description: 'Reads one resource of an MCP server.',
      parameters: {
        type: 'object',
        additionalProperties: false,
        required: ['server', 'uri'],
        properties: { server: string('The server.'), uri: string('The resource.') },
      },
    }),
    run: (args, call) =>
      during('read_mcp_resource', args, call, async () => {
        const { server, uri } = z.object({ server: z.string(), uri: z.string() }).parse(args);
        const { contents } = await chosen(server)[0]!.connection.read(uri, call.input.signal);
        return plain(
          contents
            .map((part) => ('text' in part ? part.text : `[${part.mimeType ?? 'binary'}, ${part.blob.length} base64 characters]`))
            .join('\n'),
        );
      }),
  };
  return [
    lister('list_mcp_resources', 'Lists the resources that MCP servers offer.', ({ connection }, cursor, signal) =>
      connection.resources(cursor, signal),
    ),
    lister('list_mcp_resource_templates', 'Lists the resource templates of MCP servers.', ({ connection }, cursor, signal) =>
      connection.templates(cursor, signal),
    ),
    read,
  ];
}

const plain = (text: string): Done => ({ output: truncateOutput(text), shown: text, failed: false });
