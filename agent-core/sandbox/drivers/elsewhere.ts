import { Failure } from '../../contract/errors.ts';
import type { SandboxDriver } from '../types.ts';
import { createSeatbeltDriver, type SeatbeltOptions } from './seatbelt/index.ts';
import { chooseDistribution, listDistributions } from './wsl/index.ts';

/** What confines on a system other than Linux; `open` throws `cannot-confine` with the next step where nothing does. */
export function elsewhere(platform: NodeJS.Platform, person: SeatbeltOptions['person']): SandboxDriver {
  if (platform === 'darwin') return createSeatbeltDriver({ person });
  return {
    name: platform === 'win32' ? 'wsl' : 'nothing',
    async open() {
      if (platform === 'win32') {
        const { name } = chooseDistribution(listDistributions());
        throw new Failure('cannot-confine', 'Windows alone can’t confine what an agent runs, so nothing was run.', {
          fix: `Start Signalbox inside ${name}: wsl -d ${name}`,
        });
      }
      throw new Failure('cannot-confine', `There is no sandbox for ${platform}, so nothing was run.`, {
        fix: 'Use Linux, macOS, or WSL 2 on Windows.',
      });
    },
  };
}
