/**
 * Reads a command line as plain words, or not at all. A word is plain when the shell would pass it on as it is
 * written: no expansion, glob, assignment, redirection or substitution. Whatever is in doubt is not plain.
 */

const plain = /[A-Za-z0-9_@%+=:,./-]/;

export interface Simple {
  words: string[];
  end: number;
}

/** One simple command's words from `at` up to an operator or the end; null when something isn't plain. */
function simple(line: string, at: number): Simple | null {
  const words: string[] = [];
  let word: string | null = null;
  for (; at < line.length; at += 1) {
    const char = line[at]!;
    if (char === ' ' || char === '\t') {
      if (word !== null) words.push(word);
      word = null;
    } else if (char === "'" || char === '"') {
      const close = line.indexOf(char, at + 1);
      if (close < 0) return null;
      const quoted = line.slice(at + 1, close);
      if (char === '"' && /[$`\\!]/.test(quoted)) return null;
      word = (word ?? '') + quoted;
      at = close;
    } else if (char === '&' || char === '|' || char === ';') break;
    else if (plain.test(char)) word = (word ?? '') + char;
    else return null;
  }
  if (word !== null) words.push(word);
  return words.length && !/^[A-Za-z_]\w*=/.test(words[0]!) ? { words, end: at } : null;
}

/** The commands of a line that joins plain ones with `&&`, `||`, `;` or `|`; null for any other line. */
export function splitPlain(line: string): string[][] | null {
  const text = line.trim();
  const commands: string[][] = [];
  for (let at = 0; at < text.length;) {
    const command = simple(text, at);
    if (!command) return null;
    commands.push(command.words);
    at = command.end;
    if (at >= text.length) break;
    const operator = /^(&&|\|\||;|\|(?!&))(?![;&|])/.exec(text.slice(at))?.[0];
    if (!operator) return null;
    at += operator.length;
    if (operator === ';' && !text.slice(at).trim()) break;
    if (!text.slice(at).trim()) return null;
  }
  return commands.length ? commands : null;
}

/** The words of a line that is a single plain command; null for any other. */
export function plainWords(line: string): string[] | null {
  const commands = splitPlain(line);
  return commands?.length === 1 && !/[;|&]\s*$/.test(line) ? commands[0]! : null;
}
