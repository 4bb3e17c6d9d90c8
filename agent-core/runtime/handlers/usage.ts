import type { Handlers } from '../../contract/index.ts';
import { dayOf } from '../../storage/spend.ts';
import type { Client } from '../api.ts';
import type { Context } from '../context.ts';

export function usageHandlers({ store, now }: Context): Pick<Handlers<Client>, 'usage/read'> {
  return {
    'usage/read': async ({ from = '0000-00-00', to = '9999-99-99' }) => ({
      rows: store.spend.read(from, to, store.durable.board),
      today: dayOf(now()),
    }),
  };
}
