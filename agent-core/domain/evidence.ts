import { checkKinds, type CheckKind } from './checks.ts';

/** Words of a message that can be held against the thread. `at` and `length` are UTF-16 units. */
export type Citation = { at: number; length: number } & (
  | { kind: 'command'; chunk: string; /** It stands behind “tests pass”. */ claims: boolean }
  | { kind: 'file'; path: string; line: number; endLine: number }
  | { kind: 'claim'; about: CheckKind[]; /** The very command that is said to pass. */ command: string | null }
);

const MAX_CITATIONS = 100;
const command = /\[cmd:\s*([0-9a-f]{6})\]/gi;
const file =
  /(?<![\w/:@.~+-])((?:\.?\/)?(?:(?:[\w@.+-]|\[[\w.-]+\]|\([\w.-]+\))+\/)*[\w@+.-]*\w)(?::(\d{1,6})(?:\s?[-–]\s?(\d{1,6}))?|#L(\d{1,6})(?:-L?(\d{1,6}))?)(?::\d{1,6})?(?![\w/]|\.\d)/g;
const ending = /\.([A-Za-z][\w+-]{0,9})$/;
/** What has a number behind it and is no file: hosts and their like. */
const noFile = /^(?:com|org|net|io|dev|local|internal|localhost|example|test|invalid)$/i;

const subjects: readonly [CheckKind[], RegExp][] = [
  [['types'], /\btype[ -]?check\w*|\btypes\b/i],
  [['test'], /\btests?\b|\btest suite\b|\bsuite\b|\bspecs\b/i],
  [['lint'], /\blint\w*\b/i],
  [['build'], /\bbuilds?\b|\bcompil\w+\b/i],
  [['test', 'lint', 'build', 'types'], /\bchecks?\b/i],
];
const passes = /\b(?:pass(?:es|ed|ing)?|green|succeed(?:s|ed)?|compiles|clean)\b/i;
const nothingWrong = /\b(?:no|0|zero|without(?: any)?)\s+(?:\w+\s+)?(?:fail\w*|errors?|warnings?|regressions?|problems?)/gi;
const noClaim =
  /\b(?:not|no|never|cannot|can['’]t|don['’]t|doesn['’]t|didn['’]t|fail\w*|broken|should|would|could|will|must|may|might|if|whether|until|unless|once|before|without|needs?|ensure|make sure|expect\w*|to pass|verify that)\b/i;

/** The message with what stands in code fences blanked out, so that places stay what they are. */
const withoutFences = (text: string): string =>
  text.replaceAll(/^([ \t]*)(`{3,20}|~{3,20})[^\n]*\n[\s\S]*?(?:^[ \t]*\2[^\n]*$|$(?![\s\S]))/gm, (block) =>
    block.replaceAll(/[^\n]/g, ' '),
  );

function* sentences(text: string): Generator<{ at: number; words: string }> {
  for (const line of text.matchAll(/[^\n]+/g))
    for (const sentence of line[0].matchAll(/(?:[^.!?;]|[.!?](?=\S))+[.!?;]*/g))
      yield { at: line.index + sentence.index, words: sentence[0] };
}

/** “Tests pass”, or “`npm run lint` is clean”: what it is about, and where its verb ends. */
function claimIn(words: string): { about: CheckKind[]; command: string | null; at: number; length: number } | null {
  const verb = passes.exec(words);
  const plain = words.replaceAll(nothingWrong, '').replaceAll(command, '');
  const quoted = [...plain.matchAll(/`([^`]+)`/g)].map((match) => match[1]!).find((code) => checkKinds(code).length > 0) ?? null;
  const bare = plain.replaceAll(/`[^`]*`/g, ' ');
  if (!verb || noClaim.test(bare)) return null;
  const about = quoted ? checkKinds(quoted) : (subjects.find(([, pattern]) => pattern.test(bare))?.[0] ?? []);
  return about.length ? { about, command: quoted, at: verb.index, length: verb[0].length } : null;
}

function filesIn(text: string): Citation[] {
  return [...text.matchAll(file)].flatMap((match): Citation[] => {
    const path = match[1]!.replace(/^\.\//, '');
    const end = ending.exec(path)?.[1];
    if (end ? noFile.test(end) : !path.includes('/')) return [];
    if (path.startsWith('//') || /^[\d.]+$/.test(path)) return [];
    const line = Number(match[2] ?? match[4]);
    const endLine = Number(match[3] ?? match[5] ?? line);
    return [{ kind: 'file', at: match.index, length: match[0].length, path, line, endLine }];
  });
}

/** All that a message cites or claims, in its order; what stands in code fences is output and says nothing. */
export function citationsOf(message: string): Citation[] {
  const text = withoutFences(message);
  const found: Citation[] = filesIn(text);
  for (const { at, words } of sentences(text)) {
    const claim = claimIn(words);
    const cited = [...words.matchAll(command)].map((match): Citation => ({
      kind: 'command',
      at: at + match.index,
      length: match[0].length,
      chunk: match[1]!.toLowerCase(),
      claims: claim !== null,
    }));
    found.push(...cited);
    if (claim && !cited.length)
      found.push({ kind: 'claim', about: claim.about, command: claim.command, at: at + claim.at, length: claim.length });
  }
  return found.toSorted((a, b) => a.at - b.at).slice(0, MAX_CITATIONS);
}
