import { readdirSync, readFileSync } from 'node:fs';

const CLOSE_ON_EXEC = 0o2000000;

/**
 * Descriptors above 2 that this process would hand on to every child: what it inherited itself. Node opens its own
 * close-on-exec, and shuts only the lowest inherited ones when it starts something.
 */
export function inheritedDescriptors(): number[] {
  const found: number[] = [];
  let names: string[] = [];
  try {
    names = readdirSync('/proc/self/fdinfo');
  } catch {
    return found;
  }
  for (const name of names) {
    const descriptor = Number(name);
    if (descriptor <= 2) continue;
    try {
      const flags = /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${name}`, 'utf8'))?.[1];
      if (flags && (Number.parseInt(flags, 8) & CLOSE_ON_EXEC) === 0) found.push(descriptor);
    } catch {
      /* closed meanwhile, such as the listing's own */
    }
  }
  return found;
}

/**
 * Puts a shell in front that shuts inherited descriptors above `keep`; bash, since it can name those above 9. Without
 * any (the usual case) the command stays as it is.
 */
export function withoutLeaks(leaks: number[], keep: number, file: string, args: string[]): [string, string[]] {
  const shut = leaks.filter((descriptor) => descriptor > keep);
  if (shut.length === 0) return [file, args];
  // Where stdin is a socket, as Node's own pipes are, bash takes itself for a remote shell that wants ~/.bashrc.
  return [
    '/bin/bash',
    ['--norc', '--noprofile', '-c', `exec ${shut.map((descriptor) => `${descriptor}<&-`).join(' ')}; exec "$0" "$@"`, file, ...args],
  ];
}
