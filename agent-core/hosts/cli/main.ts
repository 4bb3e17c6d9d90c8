import { statSync } from 'node:fs';
import { UsageError } from './args.ts';
import { HELP } from './help.ts';
import { complain, print } from './print.ts';

/** Runs a command with the words after its name; the exit code when it is done. */
type Run = (args: string[]) => Promise<number>;

const commands: Record<string, () => Promise<Run>> = {
  serve: async () => (await import('./serve.ts')).run,
  exec: async () => (await import('./exec.ts')).run,
  batch: async () => (await import('./batch.ts')).run,
  sandbox: async () => (await import('./sandbox.ts')).run,
  'apply-patch': async () => (await import('./apply-patch.ts')).run,
  git: async () => (await import('./git.ts')).run,
  harvest: async () => (await import('./harvest.ts')).run,
  transcript: async () => (await import('./transcript.ts')).run,
  doctor: async () => (await import('./doctor.ts')).run,
};

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

async function main(args: string[]): Promise<number> {
  const [first, ...rest] = args;
  if (first === '--help' || first === '-h' || first === 'help') {
    print(HELP);
    return 0;
  }
  if (first === '--version' || first === '-V') {
    print((await import('../../support/version.ts')).VERSION);
    return 0;
  }
  if (first !== undefined && Object.hasOwn(commands, first)) {
    const own = first === 'git' ? [] : rest.slice(0, rest.includes('--') ? rest.indexOf('--') : rest.length);
    if (own.includes('--help') || own.includes('-h')) {
      print(HELP);
      return 0;
    }
    return (await commands[first]!())(rest);
  }
  if (first !== undefined && !first.startsWith('-') && !first.includes('/') && !isFolder(first)) {
    throw new UsageError(`There is no command or folder “${first}”.`, 'signalbox [DIR] · signalbox --help lists the commands');
  }
  return (await import('./open.ts')).run(args);
}

const code = await main(process.argv.slice(2)).catch(complain);
// What was written must be out before the process is.
await new Promise<void>((resolve) => {
  process.stdout.write('', () => resolve());
});
process.exit(code);
