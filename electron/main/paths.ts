import { app } from 'electron';
import { join } from 'node:path';

/** Where the built files lie: beside this bundle, in a checkout as in the packaged app. */
export const paths = {
  preload: join(import.meta.dirname, 'preload.cjs'),
  coreProcess: join(import.meta.dirname, 'core-process.mjs'),
  renderer: join(import.meta.dirname, '..', 'renderer'),
  key: (): string => join(app.getPath('userData'), 'key.bin'),
};

/** One app per home: with a home of its own, the app's own data and its lock go there too. */
export function separateHomes(home: string | undefined): void {
  if (home) app.setPath('userData', join(home, 'window'));
}
