// A process that obtains the core of argv[2], says which it became, and stays until its input ends.
import { obtainCore } from '../../../agent-core/hosts/attach.ts';
import { smallCore } from './core.ts';

const home = process.argv[2] ?? '';
const obtained = await obtainCore({ home, host: 'test', createCore: async () => smallCore(home) });
console.log(JSON.stringify({ own: obtained.own !== null, seq: obtained.client.snapshot.seq }));
process.stdin.resume();
process.stdin.once('end', () => {
  void obtained.close().then(() => process.exit(0));
});
