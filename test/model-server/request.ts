import { z } from 'zod';
import { errorBody } from '../../agent-core/demo/wire.ts';

/** What the API checks of a `POST /v1/responses`, as far as a coding harness uses it. Keys it doesn't know are refused, as there. */

const textPart = z.object({ type: z.enum(['input_text', 'output_text', 'refusal', 'summary_text', 'reasoning_text']), text: z.string() });
const imagePart = z.object({
  type: z.literal('input_image'),
  image_url: z.string().regex(/^(https?:|data:image\/)/),
  detail: z.enum(['low', 'high', 'auto', 'original']).optional(),
});
const filePart = z.looseObject({ type: z.literal('input_file') });
const part = z.union([textPart, imagePart, filePart]);
const output = z.union([z.string(), z.array(part).min(1)]);
const callId = z.string().min(1).max(64);
const idOf = (prefix: string) => z.string().startsWith(`${prefix}_`, `Expected an ID that begins with '${prefix}'.`).max(128).optional();
const status = z.enum(['in_progress', 'completed', 'incomplete']).nullish();

const message = z.strictObject({
  type: z.literal('message').optional(),
  id: idOf('msg'),
  role: z.enum(['user', 'assistant', 'system', 'developer']),
  content: z.union([z.string(), z.array(part)]),
  status,
  phase: z.enum(['commentary', 'final_answer']).nullish(),
});
const functionCall = z.strictObject({
  type: z.literal('function_call'),
  id: idOf('fc'),
  call_id: callId,
  name: z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/),
  arguments: z.string(),
  namespace: z.string().optional(),
  status,
});
const functionOutput = z.strictObject({ type: z.literal('function_call_output'), id: idOf('fc'), call_id: callId, output, status });
const customCall = z.strictObject({
  type: z.literal('custom_tool_call'),
  id: idOf('ctc'),
  call_id: callId,
  name: z.string().min(1),
  input: z.string(),
  status,
});
const customOutput = z.strictObject({
  type: z.literal('custom_tool_call_output'),
  id: z.string().optional(),
  call_id: callId,
  output,
  status,
});
const reasoningItem = z.strictObject({
  type: z.literal('reasoning'),
  id: idOf('rs'),
  summary: z.array(z.object({ type: z.literal('summary_text'), text: z.string() })),
  content: z.array(z.unknown()).nullish(),
  encrypted_content: z.string().nullish(),
  status,
});
const searchCall = z.strictObject({
  type: z.literal('web_search_call'),
  id: idOf('ws'),
  status: z.enum(['in_progress', 'searching', 'completed', 'failed']),
  action: z.looseObject({ type: z.enum(['search', 'open_page', 'find_in_page']) }),
});
const item = z.union([searchCall, message, functionCall, functionOutput, customCall, customOutput, reasoningItem]);

const schema = z.looseObject({ type: z.literal('object'), properties: z.record(z.string(), z.unknown()) });
const functionTool = z.strictObject({
  type: z.literal('function'),
  name: z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/),
  description: z.string().nullish(),
  parameters: schema.nullable(),
  strict: z.boolean().nullish(),
});
const grammar = z.strictObject({ type: z.literal('grammar'), syntax: z.enum(['lark', 'regex']), definition: z.string().min(1) });
const customTool = z.strictObject({
  type: z.literal('custom'),
  name: z.string().min(1),
  description: z.string().optional(),
  format: z.union([grammar, z.strictObject({ type: z.literal('text') })]).optional(),
});
const hostedTool = z.looseObject({ type: z.enum(['web_search', 'web_search_preview', 'tool_search']) });

const requestSchema = z.strictObject({
  model: z.string().min(1),
  input: z.array(item).min(1),
  stream: z.boolean().optional(),
  instructions: z.string().nullish(),
  tools: z.array(z.union([functionTool, customTool, hostedTool])).optional(),
  tool_choice: z.unknown().optional(),
  parallel_tool_calls: z.boolean().optional(),
  reasoning: z
    .strictObject({
      effort: z.enum(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']).nullish(),
      summary: z.enum(['auto', 'concise', 'detailed']).nullish(),
      context: z.string().optional(),
    })
    .nullish(),
  store: z.boolean().optional(),
  include: z.array(z.string()).nullish(),
  prompt_cache_key: z.string().optional(),
  text: z.looseObject({}).optional(),
  client_metadata: z.record(z.string(), z.string()).optional(),
  metadata: z.record(z.string(), z.string()).nullish(),
  max_output_tokens: z.number().int().min(16).nullish(),
  temperature: z.number().nullish(),
  top_p: z.number().nullish(),
  truncation: z.enum(['auto', 'disabled']).nullish(),
  service_tier: z.string().nullish(),
  previous_response_id: z.string().nullish(),
  safety_identifier: z.string().optional(),
  user: z.string().optional(),
  stream_options: z.looseObject({}).nullish(),
});

/** An entry of `input` as tests like to read it: all kinds in one, every field optional. */
export interface InputItem {
  type?: string;
  role?: string;
  content?: string | { type: string; text?: string; image_url?: string }[];
  id?: string;
  call_id?: string;
  name?: string;
  arguments?: string;
  input?: string;
  output?: string | { type: string; text?: string; image_url?: string }[];
  summary?: { type: string; text: string }[];
  encrypted_content?: string | null;
}

export interface ToolSpec {
  type: string;
  name?: string;
  description?: string;
  parameters?: { type: string; properties: Record<string, unknown>; required?: string[] };
  format?: { type: string; syntax?: string; definition?: string };
}

export interface ResponsesRequest {
  model: string;
  input: InputItem[];
  stream?: boolean;
  instructions?: string;
  tools?: ToolSpec[];
  tool_choice?: unknown;
  parallel_tool_calls?: boolean;
  reasoning?: Record<string, unknown>;
  store?: boolean;
  include?: string[];
  prompt_cache_key?: string;
  text?: Record<string, unknown>;
}

export interface Refusal {
  status: number;
  body: Record<string, unknown>;
}
const refuse = (message: string, code: string | null, param: string | null, http = 400): Refusal => ({
  status: http,
  body: errorBody(message, 'invalid_request_error', code, param),
});

function dotted(path: readonly PropertyKey[]): string {
  return path.map((key, i) => (typeof key === 'number' ? `[${key}]` : `${i ? '.' : ''}${String(key)}`)).join('');
}

/** The deepest complaint of the union member that got furthest, which is the one the writer meant. */
function deepest(issue: z.core.$ZodIssue, base: readonly PropertyKey[] = []): { path: PropertyKey[]; issue: z.core.$ZodIssue } {
  const path = [...base, ...issue.path];
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return { path, issue };
  const wrongType = (list: z.core.$ZodIssue[]) => list.some((entry) => entry.path[0] === 'type' && entry.path.length === 1);
  const meant = issue.errors.find((list) => !wrongType(list) && list.length > 0) ?? issue.errors[0];
  const first = meant?.[0];
  return first ? deepest(first, path) : { path, issue };
}

function shapeError(error: z.ZodError): Refusal {
  const first = error.issues[0];
  if (!first) return refuse('Invalid request.', null, null);
  const { path, issue } = deepest(first);
  const where = dotted(path);
  if (issue.code === 'unrecognized_keys') {
    const key = dotted([...path, issue.keys[0] ?? '']);
    return refuse(`Unknown parameter: '${key}'.`, 'unknown_parameter', key);
  }
  if (issue.code === 'invalid_type' && issue.input === undefined && /received undefined/.test(issue.message)) {
    return refuse(`Missing required parameter: '${where}'.`, 'missing_required_parameter', where);
  }
  return refuse(`Invalid value for '${where}': ${issue.message}`, 'invalid_value', where);
}

/** Calls and outputs must pair up one to one, an output after its call, each kind with its own. */
function pairing(input: readonly InputItem[]): Refusal | null {
  const open = new Map<string, string>();
  const seen = new Set<string>();
  for (const entry of input) {
    const id = entry.call_id;
    if (id === undefined) continue;
    const isOutput = entry.type?.endsWith('_output') === true;
    const kind = entry.type?.startsWith('custom') ? 'custom tool call' : 'function call';
    if (!isOutput) {
      if (seen.has(id)) return refuse(`Duplicate call_id in input: '${id}'.`, null, 'input');
      seen.add(id);
      open.set(id, kind);
    } else {
      if (open.get(id) !== kind) return refuse(`No tool call found for ${kind} output with call_id ${id}.`, null, 'input');
      open.delete(id);
    }
  }
  for (const [id, kind] of open) return refuse(`No tool output found for ${kind} ${id}.`, null, 'input');
  return null;
}

function contents(request: ResponsesRequest): Refusal | null {
  for (const [i, entry] of request.input.entries()) {
    if (entry.role !== undefined && Array.isArray(entry.content)) {
      for (const [j, piece] of entry.content.entries()) {
        const fine = entry.role === 'assistant' ? ['output_text', 'refusal'] : ['input_text', 'input_image', 'input_file'];
        if (fine.includes(piece.type)) continue;
        const where = `input[${i}].content[${j}]`;
        return refuse(
          `Invalid value: '${piece.type}'. Supported values are: ${fine.map((kind) => `'${kind}'`).join(', ')}.`,
          'invalid_value',
          where,
        );
      }
    }
    if (entry.type === 'reasoning' && request.store === false && entry.id && !entry.encrypted_content) {
      return refuse(`Item with id '${entry.id}' not found. Items are not persisted when \`store\` is set to false.`, null, 'input', 404);
    }
  }
  return null;
}

function toolNames(tools: readonly ToolSpec[]): Refusal | null {
  const names = new Set<string>();
  for (const [i, tool] of tools.entries()) {
    if (tool.name === undefined) continue;
    if (names.has(tool.name)) return refuse(`Tool names must be unique: '${tool.name}'.`, 'invalid_value', `tools[${i}].name`);
    names.add(tool.name);
    const strict = (tool as { strict?: boolean }).strict === true;
    const properties = Object.keys(tool.parameters?.properties ?? {});
    const missing = properties.find((key) => !tool.parameters?.required?.includes(key));
    if (strict && missing !== undefined) {
      const rule = `In context=(), 'required' is required to be supplied and to be an array including every key in properties. Missing '${missing}'.`;
      return refuse(`Invalid schema for function '${tool.name}': ${rule}`, 'invalid_function_parameters', `tools[${i}].parameters`);
    }
  }
  return null;
}

/** Checks a request as the API would; a refusal is the status and body to answer with. */
export function checkRequest(text: string): { request: ResponsesRequest } | { refusal: Refusal } {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { refusal: refuse('We could not parse the JSON body of your request.', null, null) };
  }
  const parsed = requestSchema.safeParse(json, { reportInput: true });
  if (!parsed.success) return { refusal: shapeError(parsed.error) };
  const request = parsed.data as unknown as ResponsesRequest;
  const refusal = contents(request) ?? pairing(request.input) ?? toolNames(request.tools ?? []);
  return refusal ? { refusal } : { request };
}
