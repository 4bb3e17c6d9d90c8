/** What the demo model understands of a request: its prompt, what its calls gave, and what was said since. */

/** The outcome of one tool call, read from the words that the harness gives to models. */
export interface Result {
  tool: string;
  /** All that came back. */
  text: string;
  /** What a command printed. */
  output: string;
  exitCode: number | null;
  /** The session it runs on in. */
  session: number | null;
  /** Why a person or a policy refused it. */
  declined: string | null;
  /** It was cut off before it was done: the step is played again. */
  aborted: boolean;
  /** The tool could not work at all; nothing to go on with. */
  failure: string | null;
}

export interface Conversation {
  /** What the person typed, oldest first; `at` is its place in the input. */
  said: { text: string; at: number }[];
  /** The calls since the prompt that is being played, one array a reply. */
  rounds: Result[][];
  /** What was said after the newest call or words of the model, without the prompt itself. */
  unheard: string[];
  /** The turn was stopped after the newest call or words of the model. */
  stopped: boolean;
  /** The model spoke after its newest calls: the script's closing words, if it had come so far. */
  closed: boolean;
  /** Names of the offered tools, and `function` or `custom`. */
  tools: Map<string, string>;
}

interface InputItem {
  type?: string;
  role?: string;
  content?: string | { text?: string }[];
  call_id?: string;
  name?: string;
  output?: string | { text?: string }[];
}

export interface DemoRequest {
  model: string;
  input: InputItem[];
  tools?: { type: string; name?: string }[];
  stream?: boolean;
}

const joined = (content: InputItem['content']): string =>
  typeof content === 'string' ? content : (content ?? []).map((part) => part.text ?? '').join('\n');

/** User messages that the harness writes itself: AGENTS.md, the environment, a stopped turn. */
const fromHarness = /^\s*(<[a-z_]+>|# AGENTS\.md instructions)/;
const isStop = (text: string) => /^\s*<turn_aborted>/.test(text);
const isCall = (item: InputItem) => item.type === 'function_call' || item.type === 'custom_tool_call';

function refusal(text: string): string | null {
  if (!/Rejected\(|^patch rejected|rejected by user/.test(text)) return null;
  const note = /rejected by user: ([^"\\\n]+)/.exec(text)?.[1];
  return note ?? (/rejected by user/.test(text) ? '' : text.replace(/^.*Rejected\(\\?"?/, '').replace(/\\?"?\)"? *\}?$/, ''));
}

/** Reads one tool output. */
export function readResult(tool: string, text: string): Result {
  const exit = /^Process exited with code (\d+)$/m.exec(text)?.[1] ?? /^Exit code: (\d+)$/m.exec(text)?.[1];
  const session = /^Process running with session ID (\d+)$/m.exec(text)?.[1];
  const at = /^Output:\n?/m.exec(text);
  const declined = refusal(text);
  const broken = tool === 'exec_command' && declined === null && /^(exec_command failed|failed to parse|unsupported call)/.test(text);
  return {
    tool,
    text,
    declined,
    output: at ? text.slice(at.index + at[0].length) : text,
    exitCode: exit === undefined ? null : Number(exit),
    session: session === undefined ? null : Number(session),
    aborted: /^aborted\b/.test(text),
    failure: broken ? text : null,
  };
}

/** The script's words when a tool could not work. */
export const failureText = (result: Result): string =>
  `\`${result.tool}\` did not work here, so I stop:\n\n    ${result.failure?.split('\n').join('\n    ')}\n\nWhat I had done before is still there.`;

/** Calls belong to one reply when their ids name the same response (see `responseEvents`). */
const replyOf = (callId: string) => /^call_([0-9a-f]{12})_\d+$/.exec(callId)?.[1] ?? callId;

/** Reads the conversation from `promptAt` on, the place in the input of the prompt that is played. */
export function readConversation(request: DemoRequest, promptAt: number): Conversation {
  const outputs = new Map(
    request.input.filter((item) => item.type?.endsWith('_call_output')).map((item) => [item.call_id, joined(item.output)]),
  );
  const rounds = new Map<string, Result[]>();
  const conversation: Conversation = {
    said: whatWasSaid(request),
    rounds: [],
    unheard: [],
    stopped: false,
    closed: false,
    tools: new Map((request.tools ?? []).flatMap((tool) => (tool.name ? [[tool.name, tool.type] as const] : []))),
  };
  for (const [at, item] of request.input.entries()) {
    if (at <= promptAt) continue;
    if (isCall(item) && item.call_id) {
      const result = readResult(item.name ?? '', outputs.get(item.call_id) ?? 'aborted');
      const key = replyOf(item.call_id);
      rounds.set(key, [...(rounds.get(key) ?? []), result]);
      Object.assign(conversation, { unheard: [], stopped: result.aborted, closed: false });
    } else if (item.role === 'assistant') Object.assign(conversation, { unheard: [], closed: true });
    else if (item.role === 'user') {
      const text = joined(item.content);
      if (isStop(text)) Object.assign(conversation, { stopped: true, closed: false });
      else if (!fromHarness.test(text)) conversation.unheard.push(text);
    }
  }
  conversation.rounds = [...rounds.values()];
  return conversation;
}

/** What the newest turn is for, as the harness says it: Work, Plan, Ask or Review; Work where it says nothing. */
export function kindOf(request: DemoRequest): string {
  const told = request.input.flatMap(
    (item) => /^<turn_mode>\n(\w+):/.exec(item.role === 'developer' ? joined(item.content) : '')?.[1] ?? [],
  );
  return told.at(-1) ?? 'Work';
}

/** What the person typed, with its place in the input. */
export function whatWasSaid(request: DemoRequest): { text: string; at: number }[] {
  return request.input.flatMap((item, at) => {
    const text = item.role === 'user' ? joined(item.content) : '';
    return text && !fromHarness.test(text) ? [{ text, at }] : [];
  });
}

const quote = (text: string) => {
  const line = text.trim().replace(/\s+/g, ' ');
  return line.length > 120 ? `${line.slice(0, 119)}…` : line;
};

/** What the demo answers to a message that came while it plays; '' where none did. */
export function heard(conversation: Conversation): string {
  if (conversation.unheard.length === 0 || conversation.stopped) return '';
  const messages = conversation.unheard.map((text) => `“${quote(text)}”`).join(' and ');
  return `I have read ${messages}, but as a demo I only play a script and cannot act on it. I go on with the script; Stop ends it.`;
}
