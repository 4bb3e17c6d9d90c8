import { kindOf, readConversation, whatWasSaid, type DemoRequest } from './conversation.ts';
import { play, type Script } from './play.ts';
import { DEMO_PROMPTS, scriptFor } from './prompts.ts';
import { Ending } from './scripts/common.ts';
import { reviewOf } from './scripts/review.ts';
import type { Output } from './wire.ts';

const list = DEMO_PROMPTS.map(({ title }) => `- ${title}`).join('\n');

const about = `I am the offline demo model: no language model, only scripts that I play on the sample repository. I can't do this, and I changed nothing.

To have real work done, add a key or the address of a local model in Settings. What I can play, in a new task on the sample repository:

${list}`;

const afterwards = `As a demo I only play scripts, and this one is over: I can't answer follow-ups, and I changed nothing more. A real model, set up in Settings, can. What else I can play, in a new task on the sample repository:

${list}`;

const stoppedHere = `As a demo I only play scripts, and you stopped this one. “continue” plays it from where it was; anything else I can't answer, and I changed nothing more. A real model can be set up in Settings.`;

const goOn = /^(please )?(continue|go on|resume|keep going|proceed|carry on|retry|try again)( please)?$/;
const isGoOn = (text: string) =>
  goOn.test(
    text
      .toLowerCase()
      .replace(/[^a-z]+/g, ' ')
      .trim(),
  );
const message = (text: string): Output[] => [{ type: 'message', text }];

/** A script that may end from within any of its parts. */
const guarded = (script: Script): Script =>
  function* () {
    try {
      return yield* script();
    } catch (thrown) {
      if (thrown instanceof Ending) return thrown.message;
      throw thrown;
    }
  };

/**
 * The demo model's next reply. It remembers nothing: the newest scripted prompt in the input tells which script is
 * played, the tool calls after it how far that is, so a retry, a restart or an interrupted turn goes on at its place.
 */
export function answer(request: DemoRequest): Output[] {
  const said = whatWasSaid(request);
  const kind = kindOf(request);
  if (kind === 'Review') return message(reviewOf(said.findLast(({ text }) => text.includes('<diff>'))?.text ?? ''));
  const scriptOf = (text: string) => scriptFor(text, kind === 'Plan');
  const prompt = said.findLast(({ text }) => scriptOf(text) !== null);
  const script = prompt && scriptOf(prompt.text);
  if (!prompt || !script) return message(about);
  const conversation = readConversation(request, prompt.at);
  const played = play(guarded(script), conversation);
  const newest = said.at(-1);
  if (!newest || newest === prompt) return played.outputs;
  if (played.last && conversation.closed) return message(afterwards);
  if (conversation.stopped && !conversation.unheard.some(isGoOn) && conversation.unheard.length > 0) return message(stoppedHere);
  return played.outputs;
}
