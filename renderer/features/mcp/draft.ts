import { McpServer, type McpServerId, type ProjectId } from '../../../agent-core/contract/index.ts';

/** A server as it is typed: lists are lines of text. */
export interface Draft {
  id?: McpServerId;
  name: string;
  projectId: ProjectId | null;
  kind: 'stdio' | 'http';
  command: string;
  args: string;
  /** `NAME=value` a line: of variables here, of headers at an address. */
  values: string;
  /** Names of secrets, and what was typed for them now. */
  secrets: { name: string; value: string }[];
  hosts: string;
  read: string;
  worktree: 'none' | 'read' | 'write';
  url: string;
  startSeconds: string;
  callSeconds: string;
  tools: McpServer['tools'];
  enabled: boolean;
}

export const emptyDraft: Draft = {
  name: '',
  projectId: null,
  kind: 'stdio',
  command: '',
  args: '',
  values: '',
  secrets: [],
  hosts: '',
  read: '',
  worktree: 'none',
  url: '',
  startSeconds: '30',
  callSeconds: '300',
  tools: {},
  enabled: true,
};

const linesOf = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
const pairs = (record: Record<string, string>): string =>
  Object.entries(record)
    .map(([name, value]) => `${name}=${value}`)
    .join('\n');
const recordOf = (text: string): Record<string, string> =>
  Object.fromEntries(
    linesOf(text).map((line) => {
      const at = line.indexOf('=');
      return at < 0 ? [line, ''] : [line.slice(0, at).trim(), line.slice(at + 1).trim()];
    }),
  );

export function draftOf(server: McpServer): Draft {
  const { transport, ...rest } = server;
  const shared = {
    ...emptyDraft,
    ...rest,
    kind: transport.kind,
    secrets: server.secrets.map((name) => ({ name, value: '' })),
    startSeconds: String(server.startSeconds),
    callSeconds: String(server.callSeconds),
  };
  return transport.kind === 'http'
    ? { ...shared, url: transport.url, values: pairs(transport.headers) }
    : {
        ...shared,
        command: transport.command,
        args: transport.args.join('\n'),
        values: pairs(transport.env),
        hosts: transport.hosts.join('\n'),
        read: transport.read.join('\n'),
        worktree: transport.worktree,
      };
}

/** What is sent, or what is wrong with it by field (`name`, `transport.url`, …). */
export function serverOf(draft: Draft) {
  const transport =
    draft.kind === 'http'
      ? { kind: draft.kind, url: draft.url.trim(), headers: recordOf(draft.values) }
      : {
          kind: draft.kind,
          command: draft.command.trim(),
          args: draft.args.split('\n').filter((line) => line !== ''),
          env: recordOf(draft.values),
          hosts: linesOf(draft.hosts),
          read: linesOf(draft.read),
          worktree: draft.worktree,
        };
  const parsed = McpServer.omit({ id: true }).safeParse({
    name: draft.name.trim(),
    projectId: draft.projectId,
    enabled: draft.enabled,
    transport,
    secrets: draft.secrets.map(({ name }) => name.trim()).filter(Boolean),
    startSeconds: Number(draft.startSeconds),
    callSeconds: Number(draft.callSeconds),
    tools: draft.tools,
  });
  const problems = Object.fromEntries((parsed.error?.issues ?? []).map((issue) => [issue.path.slice(0, 2).join('.'), issue.message]));
  return { server: parsed.success ? { ...parsed.data, ...(draft.id ? { id: draft.id } : {}) } : null, problems };
}

const secretWords = /key|token|secret|password|passwd|credential|authorization/i;
const installers: Record<string, string[]> = {
  npx: ['registry.npmjs.org:443'],
  bunx: ['registry.npmjs.org:443'],
  uvx: ['pypi.org:443', 'files.pythonhosted.org:443'],
};

/**
 * Reads the JSON that the field's readmes show: `{"mcpServers": {"name": {"command": …}}}`, or a part of it. What sounds
 * like a secret becomes one. Null when there is no server in it.
 */
export function fromReadme(text: string): Draft | null {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    return null;
  }
  const found = serverIn(given, '');
  if (!found) return null;
  const { name, config } = found;
  const texts = (value: unknown): Record<string, string> =>
    typeof value === 'object' && value ? Object.fromEntries(Object.entries(value).map(([key, each]) => [key, String(each)])) : {};
  const http = typeof config['url'] === 'string';
  const values = texts(http ? config['headers'] : config['env']);
  const secret = Object.entries(values).filter(([key]) => secretWords.test(key));
  const command = typeof config['command'] === 'string' ? config['command'] : '';
  return {
    ...emptyDraft,
    name: name.replace(/[^A-Za-z0-9_-]/g, '-').slice(0, 32),
    kind: http ? 'http' : 'stdio',
    url: http ? String(config['url']) : '',
    command,
    args: Array.isArray(config['args']) ? config['args'].map(String).join('\n') : '',
    values: pairs(Object.fromEntries(Object.entries(values).filter(([key]) => !secretWords.test(key)))),
    secrets: secret.map(([key, value]) => ({ name: key, value: /^[<$]|your/i.test(value) ? '' : value })),
    hosts: (installers[command] ?? []).join('\n'),
  };
}

function serverIn(value: unknown, name: string): { name: string; config: Record<string, unknown> } | null {
  if (typeof value !== 'object' || value === null) return null;
  const config = value as Record<string, unknown>;
  if (typeof config['command'] === 'string' || typeof config['url'] === 'string') return { name, config };
  for (const [key, inner] of Object.entries(config)) {
    const found = serverIn(inner, key);
    if (found) return found;
  }
  return null;
}
