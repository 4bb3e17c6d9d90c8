import { z } from 'zod';
import { parseArgs } from './exec.ts';
import { Rejected, type Tool } from './types.ts';

const Option = z.object({ label: z.string().trim().min(1), description: z.string().default('') });
const AskArgs = z.object({
  questions: z
    .array(
      z.object({
        id: z.string().min(1),
        header: z.string().default(''),
        question: z.string().trim().min(1),
        options: z.array(Option).default([]),
      }),
    )
    .min(1)
    .max(3),
});

/** The person's words for the model: a chosen label as it is, own words marked as a note. HARNESS facts 1.2. */
function answersOf(questions: z.infer<typeof AskArgs>['questions'], answers: Record<string, string>): string {
  const told = questions.map(({ id, options }): [string, { answers: string[] }] => {
    const answer = answers[id]?.trim() ?? '';
    const chosen = options.some(({ label }) => label === answer);
    return [id, { answers: answer ? [chosen ? answer : `user_note: ${answer}`] : [] }];
  });
  return JSON.stringify({ answers: Object.fromEntries(told) });
}

const text = (description: string) => ({ type: 'string', description });
const object = (properties: Record<string, unknown>) => ({
  type: 'object',
  additionalProperties: false,
  required: Object.keys(properties),
  properties,
});

/** The agent's question to the person. Where nobody answers (approval policy "never") it isn't offered, and is declined when called. */
export const requestUserInput: Tool = {
  name: 'request_user_input',
  parallel: false,
  offered: ({ approval }) => approval !== 'never',
  spec: () => ({
    type: 'function',
    name: 'request_user_input',
    strict: false,
    description:
      'Asks the person one to three short questions and waits for the answers, however long that takes. Only for decisions that are theirs and change what you do; find out the rest yourself.',
    parameters: object({
      questions: {
        type: 'array',
        description: 'One to three questions; rather one.',
        items: object({
          id: text('Names the answer (snake_case).'),
          header: text('A label of at most 12 characters.'),
          question: text('The question, in one sentence.'),
          options: {
            type: 'array',
            description:
              'Two or three choices that exclude each other, the one you recommend first. The person can always answer in own words.',
            items: object({ label: text('One to five words.'), description: text('One sentence: what it means or costs.') }),
          },
        }),
      },
    }),
  }),
  async run(args, call) {
    const { questions } = parseArgs(AskArgs, 'request_user_input', args);
    if (call.input.approval === 'never')
      throw new Rejected(
        'request_user_input failed: nobody is there to answer (approval policy: never). Decide yourself and name the assumption in your answer',
      );
    if (new Set(questions.map(({ id }) => id)).size < questions.length)
      throw new Rejected('request_user_input failed: each question needs an id of its own');
    await call.recorded;
    return answersOf(questions, await call.host.ask(questions, call.id));
  },
};
