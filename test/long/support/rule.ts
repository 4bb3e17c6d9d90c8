/** A piece of source that is replaced: it must be in the file exactly once. */
export interface Cut {
  /** From the top of the repository. */
  file: string;
  cut: string;
  put: string;
}

/** One rule of the fence, how to take it out, and the tests that must notice. */
export interface Rule {
  name: string;
  cuts: Cut[];
  /** Test files, and which of their tests (vitest's `-t`). Where a network rule is out, only tests that stay on the loopback. */
  tests: string[];
  only?: string;
  /** Why it can't be shown here: then it is skipped, and the reason printed. */
  skip?: string | false;
}

/** A rule in one place of one file; `put` is what stands there instead. */
export const rule = (name: string, [file, cut, put = '']: [string, string, string?], tests: string[], more: Partial<Rule> = {}): Rule => ({
  name,
  cuts: [{ file, cut, put }],
  tests,
  ...more,
});
