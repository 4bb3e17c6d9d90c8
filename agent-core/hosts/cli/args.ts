import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';
import { Failure } from '../../contract/index.ts';

/** The command line wasn't understood: exit 2, with the command's usage. */
export class UsageError extends Error {
  readonly usage: string;
  constructor(message: string, usage: string) {
    super(message);
    this.name = 'UsageError';
    this.usage = usage;
  }
}

export interface Parsed {
  positionals: string[];
  /** The value of an option, or undefined where it wasn't given. */
  text(name: string): string | undefined;
  list(name: string): string[];
  flag(name: string): boolean;
  /** One of `values`, or a UsageError that lists them. */
  choice<T extends string>(name: string, values: readonly T[]): T | undefined;
  /** A whole number within the bounds, or a UsageError. */
  number(name: string, min: number, max: number): number | undefined;
}

/** Reads a command's arguments strictly: an unknown option is a UsageError, never ignored. */
export function readArgs(args: string[], options: ParseArgsOptionsConfig, usage: string): Parsed {
  const { values, positionals } = parse(args, options, usage);
  const text = (name: string): string | undefined => {
    const value = values[name];
    return typeof value === 'string' ? value : undefined;
  };
  return {
    positionals,
    text,
    list: (name) => {
      const value = values[name];
      return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
    },
    flag: (name) => values[name] === true,
    choice: (name, allowed) => {
      const value = text(name);
      const found = allowed.find((each) => each === value);
      if (value !== undefined && !found) throw new UsageError(`--${name} must be one of ${allowed.join(', ')}, not “${value}”.`, usage);
      return found;
    },
    number: (name, min, max) => {
      const value = text(name);
      if (value === undefined) return undefined;
      const number = Number(value);
      if (!/^\d+$/.test(value) || number < min || number > max)
        throw new UsageError(`--${name} must be a whole number from ${min} to ${max}, not “${value}”.`, usage);
      return number;
    },
  };
}

function parse(args: string[], options: ParseArgsOptionsConfig, usage: string) {
  try {
    return parseArgs({ args, options, allowPositionals: true, strict: true });
  } catch (thrown) {
    throw new UsageError(thrown instanceof Error ? (thrown.message.split('. To specify')[0] ?? '') : String(thrown), usage);
  }
}

/** At most `most` words besides the options. */
export function atMost(parsed: Parsed, most: number, usage: string): void {
  const extra = parsed.positionals[most];
  if (extra !== undefined) throw new UsageError(`“${extra}” is one word too many. (Quote what has spaces in it.)`, usage);
}

/** The exit code that a failure stands for: 2 input · 3 the sandbox · 4 the model · 1 the rest. */
export function exitCodeOf(code: Failure['detail']['code']): 1 | 2 | 3 | 4 {
  if (code === 'cannot-confine') return 3;
  if (code === 'no-model' || code.startsWith('model-') || code === 'context-overflow') return 4;
  const input: (typeof code)[] = [
    'invalid-input',
    'no-folder',
    'not-a-repository',
    'bare-repository',
    'no-commits',
    'base-not-found',
    'unsupported-repository',
  ];
  return input.includes(code) ? 2 : 1;
}
