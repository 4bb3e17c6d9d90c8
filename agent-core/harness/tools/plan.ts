import { z } from 'zod';
import { PlanStep, type ItemOf } from '../../contract/index.ts';
import { parseArgs } from './exec.ts';
import type { Tool } from './types.ts';

const PlanArgs = z.object({ explanation: z.string().nullish(), plan: z.array(PlanStep) });

export const updatePlan: Tool = {
  name: 'update_plan',
  parallel: false,
  offered: ({ kind }) => kind !== 'review',
  spec: () => ({
    type: 'function',
    name: 'update_plan',
    strict: false,
    description: 'Shows the person the steps of the work and how far it is. Give all steps each time, at most one of them in progress.',
    parameters: {
      type: 'object',
      additionalProperties: false,
      required: ['plan'],
      properties: {
        explanation: { type: 'string', description: 'Why the plan changed, if it did.' },
        plan: {
          type: 'array',
          items: {
            type: 'object',
            additionalProperties: false,
            required: ['step', 'status'],
            properties: { step: { type: 'string' }, status: { type: 'string', enum: ['pending', 'in_progress', 'completed'] } },
          },
        },
      },
    },
  }),
  async run(args, call) {
    const { explanation, plan } = parseArgs(PlanArgs, 'update_plan', args);
    const item: ItemOf<'plan'> = { ...call.item('plan'), explanation: explanation || null, steps: plan };
    await call.begin(item);
    call.end({ ...item, endedAt: Date.now() });
    return 'Plan updated';
  },
};
