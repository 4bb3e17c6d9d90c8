import { Failure, toAppError, type AppError } from '../../contract/index.ts';
import { UsageError, exitCodeOf } from './args.ts';

let broken = false;
// Whoever read our output has gone, as `| head -1` does: go on without it.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') broken = true;
    else throw error;
  });
}

export function print(text: string): void {
  if (!broken) process.stdout.write(`${text}\n`);
}
export const printJson = (value: unknown): void => print(JSON.stringify(value));

/** A line for the person, beside what the command prints. */
export const say = (text: string): void => {
  process.stderr.write(`${text}\n`);
};

/** A failure in words: what was wrong, what to do, and what the command behind it said. */
export function describe(error: AppError): string {
  const lines = [`signalbox: ${error.message}`];
  if (error.fix) lines.push(`  ${error.fix}`);
  if (error.command) lines.push(`  $ ${error.command}`);
  if (error.output?.trim())
    lines.push(
      ...error.output
        .trim()
        .split('\n')
        .slice(-10)
        .map((line) => `  | ${line}`),
    );
  return lines.join('\n');
}

/** Says what went wrong and answers the exit code for it. Bugs show their stack with SIGNALBOX_DEBUG. */
export function complain(thrown: unknown): number {
  if (thrown instanceof UsageError) {
    say(`signalbox: ${thrown.message}\nUsage: ${thrown.usage}`);
    return 2;
  }
  const error = toAppError(thrown);
  say(describe(error));
  if (!(thrown instanceof Failure) && process.env['SIGNALBOX_DEBUG'] && thrown instanceof Error) say(thrown.stack ?? '');
  return exitCodeOf(error.code);
}
