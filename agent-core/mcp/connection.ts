import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import type { RequestOptions } from '@modelcontextprotocol/sdk/shared/protocol.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { McpError, ToolListChangedNotificationSchema, type CallToolResult, type Tool } from '@modelcontextprotocol/sdk/types.js';
import type { McpServer } from '../contract/index.ts';
import { VERSION } from '../support/version.ts';

/** A server's list is cut here: more would fill the model's window with tools. */
const MOST_TOOLS = 200;
/** A server may go on about a next page for ever. */
const MOST_PAGES = 20;
/** Characters of one tool's parameters: each request to the model carries them. A tool with more is left out. */
const MOST_SCHEMA = 64 * 1024;
/** Characters of what a server says of itself, and of what went wrong. */
const MOST_WORDS = 2000;
const MOST_TITLE = 200;

export type { CallToolResult, Tool as ServerTool } from '@modelcontextprotocol/sdk/types.js';

/**
 * A running server that has introduced itself. Every request has the server's time limit and can be aborted; after
 * `closed` they all reject.
 */
export class McpConnection {
  readonly #client: Client;
  readonly #server: McpServer;
  readonly closed: Promise<void>;
  #tools: Tool[] = [];
  #stale = false;

  private constructor(client: Client, server: McpServer, closed: Promise<void>) {
    this.#client = client;
    this.#server = server;
    this.closed = closed;
  }

  /** Rejects when it doesn't introduce itself in its time; then its transport is closed. */
  static async open(server: McpServer, transport: Transport, signal?: AbortSignal): Promise<McpConnection> {
    // A server's own schema is not run against its answers: a pattern in it could keep the whole core busy.
    const jsonSchemaValidator = {
      getValidator: () => (data: unknown) => ({ valid: true as const, data: data as never, errorMessage: undefined }),
    };
    const client = new Client({ name: 'signalbox', version: VERSION }, { capabilities: {}, jsonSchemaValidator });
    const closed = new Promise<void>((resolve) => {
      client.onclose = resolve;
    });
    // A single message that is amiss is no reason to end.
    client.onerror = () => {};
    const options: RequestOptions = { timeout: server.startSeconds * 1000, ...(signal ? { signal } : {}) };
    try {
      await client.connect(transport, options);
      const connection = new McpConnection(client, server, closed);
      client.setNotificationHandler(ToolListChangedNotificationSchema, () => {
        connection.#stale = true;
      });
      await connection.#list(options);
      return connection;
    } catch (error) {
      await transport.close().catch(() => {});
      throw error;
    }
  }

  get title(): string {
    const info = this.#client.getServerVersion();
    return info ? `${info.title ?? info.name} ${info.version}`.slice(0, MOST_TITLE) : this.#server.name;
  }

  get hasResources(): boolean {
    return this.#client.getServerCapabilities()?.resources !== undefined;
  }

  /** What it offers now, asked anew where it said that this changed. */
  async tools(): Promise<readonly Tool[]> {
    if (this.#stale) await this.#list({ timeout: this.#server.startSeconds * 1000 }).catch(() => {});
    return this.#tools;
  }

  async #list(options: RequestOptions): Promise<void> {
    this.#stale = false;
    if (!this.#client.getServerCapabilities()?.tools) return;
    const found: Tool[] = [];
    let cursor: string | undefined;
    for (let pages = 0; pages < MOST_PAGES && found.length < MOST_TOOLS; pages++) {
      const page = await this.#client.listTools(cursor === undefined ? {} : { cursor }, options);
      found.push(...page.tools.filter(fits));
      cursor = page.nextCursor;
      if (cursor === undefined) break;
    }
    this.#tools = found.slice(0, MOST_TOOLS);
  }

  async call(name: string, args: Record<string, unknown>, signal: AbortSignal): Promise<CallToolResult> {
    return (await this.#client.callTool({ name, arguments: args }, undefined, this.#patience(signal))) as CallToolResult;
  }

  async resources(cursor: string | undefined, signal: AbortSignal) {
    return this.#client.listResources(cursor === undefined ? {} : { cursor }, this.#patience(signal));
  }

  async templates(cursor: string | undefined, signal: AbortSignal) {
    if (!this.hasResources) return { resourceTemplates: [] };
    return this.#client.listResourceTemplates(cursor === undefined ? {} : { cursor }, this.#patience(signal));
  }

  async read(uri: string, signal: AbortSignal) {
    return this.#client.readResource({ uri }, this.#patience(signal));
  }

  #patience(signal: AbortSignal): RequestOptions {
    const timeout = this.#server.callSeconds * 1000;
    return { signal, timeout, maxTotalTimeout: timeout, resetTimeoutOnProgress: true };
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}

const fits = ({ name, inputSchema }: Tool): boolean => name.length <= MOST_TITLE && JSON.stringify(inputSchema).length <= MOST_SCHEMA;

/** What went wrong with a server, in words for a person or the model. */
export function wordsOf(error: unknown): string {
  const words = error instanceof Error ? error.message : String(error);
  return (error instanceof McpError ? words.replace(/^MCP error -?\d+: /, '') : words).slice(0, MOST_WORDS);
}
