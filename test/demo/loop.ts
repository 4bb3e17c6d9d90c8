import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import OpenAI from 'openai';
import { APPLY_PATCH_GRAMMAR, applyPatch } from '../../agent-core/harness/tools/apply-patch/index.ts';
import type { Folder } from '../apply-patch/folder.ts';
import { checkRequest } from '../model-server/request.ts';

type Item = OpenAI.Responses.ResponseInputItem;
type Call = Extract<OpenAI.Responses.ResponseOutputItem, { type: 'function_call' | 'custom_tool_call' }>;

const any = { type: 'object', properties: {} };
export const allTools: OpenAI.Responses.Tool[] = [
  ...['exec_command', 'write_stdin', 'update_plan'].map((name) => ({ type: 'function' as const, name, parameters: any, strict: false })),
  { type: 'custom', name: 'apply_patch', format: { type: 'grammar', syntax: 'lark', definition: APPLY_PATCH_GRAMMAR } },
];

interface Running {
  child: ChildProcess;
  output: string;
  code: number | null;
}

/** What the loop may be told to do in place of running a call; undefined runs it. */
export type Intercept = (name: string, args: Record<string, unknown>, call: Call) => string | undefined;

/**
 * As little of a harness as plays a script for real: processes in the folder, our own apply_patch, outputs in the
 * words that models get. Each request passes the strict checks of the tests' model server.
 */
export class MiniLoop {
  readonly input: Item[] = [];
  readonly calls: { name: string; args: Record<string, unknown>; output: string }[] = [];
  readonly said: string[] = [];
  tools = allTools;
  intercept: Intercept = () => undefined;
  /** Commands don't really sleep. */
  hasty = false;
  readonly #client: OpenAI;
  readonly #folder: Folder;
  readonly #running = new Map<number, Running>();

  constructor(server: { url: string; key: string }, folder: Folder) {
    this.#client = new OpenAI({ baseURL: server.url, apiKey: server.key, maxRetries: 0 });
    this.#folder = folder;
    this.input.push(
      { role: 'developer', content: 'You are a coding agent.' },
      {
        role: 'user',
        content: [
          { type: 'input_text', text: '# AGENTS.md instructions for /work\n\n<INSTRUCTIONS>\nbe kind\n</INSTRUCTIONS>' },
          { type: 'input_text', text: '<environment_context>\n</environment_context>' },
        ],
      },
    );
  }

  /** One request; runs its calls. True when there were any. */
  async step(): Promise<boolean> {
    const body = { model: 'demo', input: this.input, tools: this.tools, stream: true as const, store: false };
    const checked = checkRequest(JSON.stringify(body));
    if ('refusal' in checked) throw new Error(JSON.stringify(checked.refusal.body));
    const output: OpenAI.Responses.ResponseOutputItem[] = [];
    let complete = false;
    for await (const event of await this.#client.responses.create(body)) {
      if (event.type === 'response.output_item.done') output.push(event.item);
      complete ||= event.type === 'response.completed';
    }
    if (!complete) throw new Error('no terminal event');
    this.input.push(...(output as Item[]));
    for (const item of output)
      if (item.type === 'message') this.said.push(item.content.map((part) => ('text' in part ? part.text : '')).join(''));
    const calls = output.filter((item): item is Call => item.type === 'function_call' || item.type === 'custom_tool_call');
    for (const call of calls) {
      const text = await this.#run(call);
      this.input.push({
        type: call.type === 'function_call' ? 'function_call_output' : 'custom_tool_call_output',
        call_id: call.call_id,
        output: text,
      });
    }
    return calls.length > 0;
  }

  /** Says something and goes on to the end of the turn; gives the closing words. */
  async turn(text?: string, limit = 60): Promise<string> {
    if (text !== undefined) this.input.push({ role: 'user', content: text });
    for (let steps = 0; await this.step(); steps += 1) if (steps > limit) throw new Error('The script does not end.');
    return this.said.at(-1) ?? '';
  }

  get commands(): string[] {
    return this.calls.filter((call) => call.name === 'exec_command').map((call) => String(call.args['cmd']));
  }

  async #run(call: Call): Promise<string> {
    const args = call.type === 'custom_tool_call' ? { input: call.input } : (JSON.parse(call.arguments) as Record<string, unknown>);
    const output = this.intercept(call.name, args, call) ?? (await this.#tool(call.name, args));
    this.calls.push({ name: call.name, args, output });
    return output;
  }

  async #tool(name: string, args: Record<string, unknown>): Promise<string> {
    if (name === 'update_plan') return 'Plan updated';
    if (name === 'apply_patch') return (await applyPatch(String(args['input']), this.#folder.files, this.#folder.path)).text;
    if (name === 'exec_command') return this.#exec(String(args['cmd']), Number(args['yield_time_ms'] ?? 10_000));
    if (name === 'write_stdin') return this.#wait(Number(args['session_id']), 300);
    return `unsupported call: ${name}`;
  }

  async #exec(cmd: string, wait: number): Promise<string> {
    const env = {
      ...process.env,
      PORT: '0',
      GIT_AUTHOR_NAME: 'Test',
      GIT_AUTHOR_EMAIL: 't@example.com',
      GIT_COMMITTER_NAME: 'Test',
      GIT_COMMITTER_EMAIL: 't@example.com',
      NODE_TEST_CONTEXT: undefined,
      NODE_OPTIONS: undefined,
    };
    const child = spawn('/bin/bash', ['-c', this.hasty ? `sleep() { :; }; ${cmd}` : cmd], {
      cwd: this.#folder.path,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const running: Running = { child, output: '', code: null };
    const take = (chunk: Buffer) => (running.output += chunk.toString());
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.on('close', (code) => (running.code = code ?? 137));
    const id = 10_000 + this.#running.size;
    this.#running.set(id, running);
    return this.#wait(id, wait);
  }

  async #wait(id: number, ms: number): Promise<string> {
    const running = this.#running.get(id);
    if (!running) return `write_stdin failed: Unknown process id ${id}`;
    if (running.code === null)
      await Promise.race([once(running.child, 'close'), new Promise((resolve) => setTimeout(resolve, ms).unref())]);
    const end = running.code === null ? `Process running with session ID ${id}` : `Process exited with code ${running.code}`;
    const text = running.output;
    running.output = '';
    return `Chunk ID: abc123\nWall time: 0.1000 seconds\n${end}\nOriginal token count: ${Math.ceil(text.length / 4)}\nOutput:\n${text}`;
  }

  /** Ends what still runs. */
  async dispose(): Promise<void> {
    for (const { child, code } of this.#running.values()) {
      if (code !== null || child.pid === undefined) continue;
      const gone = once(child, 'close');
      process.kill(-child.pid, 'SIGKILL');
      await gone;
    }
  }
}
