import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

/**
 * Every request and every reply of the tests, held against the API's schema: the types of the `openai` package, which are
 * generated from the published OpenAPI document. Each shape is kept once, in the folder that SIGNALBOX_WIRE_CORPUS names, and
 * at the end of the run the compiler checks them all as literals of those types, unknown keys included.
 */

export type Kind = 'responses request' | 'responses event' | 'chat request' | 'chat chunk';
/** What servers beside OpenAI add to Chat Completions, which our requests hand back to those that told it. */
const EXTENSIONS = new Set(['reasoning_content', 'reasoning']);

/** Where text is data and not one of a few words, its content makes no new shape. */
const words = new Set([
  'type',
  'role',
  'status',
  'object',
  'effort',
  'summary',
  'syntax',
  'detail',
  'finish_reason',
  'tool_choice',
  'include',
  'reason',
]);

function shapeOf(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return [...new Set(value.map((each) => JSON.stringify(shapeOf(each, key))))].toSorted();
  if (value !== null && typeof value === 'object')
    // A tool's own parameters are a schema of our making: any object is one.
    return key === 'parameters'
      ? 'object'
      : Object.entries(value)
          .toSorted()
          .map(([name, each]) => [name, shapeOf(each, name)]);
  return typeof value === 'string' && words.has(key) ? value : value === null ? null : typeof value;
}

const plain = (value: unknown, chat: boolean): unknown =>
  Array.isArray(value)
    ? value.map((each) => plain(each, chat))
    : value !== null && typeof value === 'object'
      ? Object.fromEntries(
          Object.entries(value).flatMap(([name, each]) =>
            chat && EXTENSIONS.has(name) && typeof each !== 'object' ? [] : [[name, plain(each, chat)]],
          ),
        )
      : value;

const seen = new Set<string>();

/** Keeps one of each shape; nothing outside a test run. */
export function keep(kind: Kind, json: unknown): void {
  const folder = process.env['SIGNALBOX_WIRE_CORPUS'];
  if (!folder || !existsSync(folder)) return;
  // Sent by the API, though its schema doesn't list the code.
  if (kind === 'responses event' && JSON.stringify(json).includes('"code":"context_length_exceeded"')) return;
  const bare = plain(json, kind.startsWith('chat'));
  const name = createHash('sha256')
    .update(kind)
    .update(JSON.stringify(shapeOf(bare)))
    .digest('hex')
    .slice(0, 24);
  if (seen.has(name)) return;
  seen.add(name);
  writeFileSync(join(folder, `${name}.json`), JSON.stringify({ kind, json: bare }));
}

const types: Record<Kind, string> = {
  'responses request': 'ResponseCreateParams',
  'responses event': 'WireEvent',
  'chat request': 'ChatCompletionCreateParams',
  'chat chunk': 'ChatCompletionChunk',
};

// `output_text` is no part of the wire: the client adds it.
const HEAD = `import type { Response, ResponseCreateParams, ResponseStreamEvent } from 'openai/resources/responses/responses';
import type { ChatCompletionChunk, ChatCompletionCreateParams } from 'openai/resources/chat/completions';
type Bare<T> = T extends { response: Response } ? Omit<T, 'response'> & { response: Omit<Response, 'output_text'> } : T;
type WireEvent = Bare<ResponseStreamEvent>;
`;

export interface Entry {
  kind: Kind;
  json: unknown;
}

/** What the compiler says of those that are none of the API's, a complaint each; none where all are. */
export async function complaints(entries: readonly Entry[]): Promise<string[]> {
  if (!entries.length) return [];
  const root = resolve(import.meta.dirname, '../..');
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-schema-'));
  try {
    for (const [at, { kind, json }] of entries.entries())
      writeFileSync(join(folder, `entry-${at}.ts`), `${HEAD}export const entry: ${types[kind]} =\n${JSON.stringify(json, null, 1)};\n`);
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({
        compilerOptions: {
          strict: true,
          noEmit: true,
          skipLibCheck: true,
          module: 'esnext',
          moduleResolution: 'bundler',
          target: 'esnext',
          types: [],
          paths: { 'openai/*': [`${root}/node_modules/openai/*`] },
        },
        include: ['*.ts'],
      }),
    );
    await promisify(execFile)(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder, '--pretty', 'false'], {
      maxBuffer: 64 * 1024 * 1024,
    });
    return [];
  } catch (thrown) {
    const { stdout } = thrown as { stdout?: string };
    if (stdout === undefined) throw thrown;
    return stdout
      .split('\n')
      .filter((line) => /entry-\d+\.ts/.test(line))
      .map((line) => {
        const at = Number(/entry-(\d+)\.ts/.exec(line)![1]);
        return `${entries[at]!.kind}: ${line.replace(/^.*?\): /, '')}\n  ${JSON.stringify(entries[at]!.json).slice(0, 400)}`;
      });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export const readCorpus = (folder: string): Entry[] =>
  readdirSync(folder).map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as Entry);
