/** Longer control strings than this are dropped whole: none that xterm understands needs more. */
const STRING_LIMIT = 4096;
const CSI_LIMIT = 128;

/** DA1–3, DSR, DECRQM, XTVERSION, DECREQTPARM and window reports: sequences that make a terminal answer. */
const queries = /^(?:[>=?]?[0-9;]*c|\??[0-9;]*n|\??[0-9;]*\$p|>[0-9;]*q|[0-9;]*x|\?u|1[1-9](?:;[0-9;]*)?t|2[01](?:;[0-9;]*)?t)$/;

/** OSC strings that a client never gets: the clipboard (52), and questions for colours (4, 5, 10–19). */
function forbiddenOsc(body: string): boolean {
  const number = Number.parseInt(body, 10);
  if (number === 52) return true;
  return (number === 4 || number === 5 || (number >= 10 && number <= 19)) && /(?:^|;)\?(?:;|$)/.test(body);
}

type State = 'ground' | 'escape' | 'csi' | 'osc' | 'dcs';
const start = /[\x1b\x90\x9b\x9d]/g;

/**
 * What may go from a program to a client's terminal. Two kinds of sequence stay behind:
 * questions to the terminal, because the mirror answers them (a client that answered too would type the answer a
 * second time into the program), and access to the clipboard (OSC 52), which nothing inside gets unasked.
 * A sequence that is cut by a chunk's end is kept until it is whole.
 */
export class ClientGuard {
  #state: State = 'ground';
  /** The sequence so far, with its introducer; the body begins at `#body`. */
  #held = '';
  #body = 0;
  #dropping = false;

  /** The part of the stream that may go on now. */
  push(text: string): string {
    let out = '';
    let at = 0;
    while (at < text.length) {
      if (this.#state === 'ground') {
        start.lastIndex = at;
        const found = start.exec(text)?.index ?? text.length;
        out += text.slice(at, found);
        if (found === text.length) return out;
        this.#begin(text.charAt(found));
        at = found + 1;
      } else {
        out += this.#step(text.charAt(at++));
      }
    }
    return out;
  }

  #begin(char: string): void {
    this.#held = char;
    this.#body = 1;
    this.#dropping = false;
    this.#state = char === '\x1b' ? 'escape' : char === '\x9b' ? 'csi' : char === '\x9d' ? 'osc' : 'dcs';
  }

  #end(out: string): string {
    this.#state = 'ground';
    this.#held = '';
    return out;
  }

  #step(char: string): string {
    if (char === '\x1b' && this.#state !== 'osc' && this.#state !== 'dcs') return this.#restart();
    if (char === '\x18' || char === '\x1a') return this.#end(this.#state === 'osc' || this.#state === 'dcs' ? '' : this.#held + char);
    switch (this.#state) {
      case 'escape':
        return this.#escape(char);
      case 'csi':
        return this.#csi(char);
      default:
        return this.#string(char);
    }
  }

  /** An escape within a sequence ends that one and begins another. */
  #restart(): string {
    const before = this.#held;
    this.#begin('\x1b');
    return before;
  }

  #escape(char: string): string {
    this.#held += char;
    this.#body = 2;
    if (char === '[') this.#state = 'csi';
    else if (char === ']') this.#state = 'osc';
    else if (char === 'P') this.#state = 'dcs';
    // DECID is DA1 by another name.
    else return this.#end(char === 'Z' ? '' : this.#held);
    return '';
  }

  #csi(char: string): string {
    this.#held += char;
    const final = char >= '@' && char <= '~';
    if (final) return this.#end(queries.test(this.#held.slice(this.#body)) ? '' : this.#held);
    // Control characters act in the middle of a sequence; a body this long is none.
    return this.#held.length > CSI_LIMIT ? this.#end('') : '';
  }

  #string(char: string): string {
    if (char === '\x07' || char === '\x9c') return this.#finish(char);
    if (this.#held.endsWith('\x1b')) {
      if (char === '\\') return this.#finish(char);
      // Any other sequence aborts the string.
      this.#begin('\x1b');
      return this.#escape(char);
    }
    if (!this.#dropping) this.#held += char;
    else if (char === '\x1b') this.#held = '\x1b';
    if (this.#held.length > STRING_LIMIT) {
      this.#dropping = true;
      this.#held = '';
    }
    return '';
  }

  #finish(char: string): string {
    // All DCS strings that xterm acts on are questions.
    const keep = !this.#dropping && this.#state === 'osc' && !forbiddenOsc(this.#held.slice(this.#body).replace(/\x1b$/, ''));
    return this.#end(keep ? this.#held + char : '');
  }
}
