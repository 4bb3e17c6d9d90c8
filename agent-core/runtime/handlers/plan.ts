import type { Handlers } from '../../contract/index.ts';
import type { Client } from '../api.ts';
import type { Context } from '../context.ts';
import { Plans } from '../plan.ts';
import type { Supervisor } from '../supervisor.ts';

/** What a person does with a plan. */
export function planHandlers(context: Context, supervisor: Supervisor): Pick<Handlers<Client>, 'plan/edit' | 'plan/start' | 'plan/split'> {
  const plans = new Plans(context, supervisor);
  return {
    'plan/edit': (input) => plans.edit(input),
    'plan/start': (input) => plans.start(input),
    'plan/split': (input) => plans.split(input),
  };
}
