/** A folder before, a patch, and the folder after; `fails` where the tool must refuse (what it says then). */
export interface Scenario {
  name: string;
  before: Record<string, string>;
  patch: string;
  after: Record<string, string>;
  fails?: RegExp;
}

const wrap = (body: string) => `*** Begin Patch\n${body}*** End Patch\n`;
const same = (files: Record<string, string>) => ({ before: files, after: files });
const poem = 'roses\nviolets\nsugar\nyou\n';

export const scenarios: Scenario[] = [
  {
    name: 'adds a file in a new folder',
    before: {},
    patch: wrap('*** Add File: notes/today.md\n+# Today\n+\n+rain\n'),
    after: { 'notes/today.md': '# Today\n\nrain\n' },
  },
  { name: 'adds an empty file', before: {}, patch: wrap('*** Add File: .gitkeep\n'), after: { '.gitkeep': '' } },
  {
    name: 'adds over a file that is there',
    before: { 'a.txt': 'x\ny\n' },
    patch: wrap('*** Add File: a.txt\n+z\n'),
    after: { 'a.txt': 'z\n' },
  },
  {
    name: 'adds, changes and deletes in one go',
    before: { 'keep.js': 'let a = 1;\nlet b = 2;\n', 'old.js': '' },
    patch: wrap('*** Delete File: old.js\n*** Update File: keep.js\n@@\n-let b = 2;\n+let b = 3;\n*** Add File: lib/new.js\n+export {};\n'),
    after: { 'keep.js': 'let a = 1;\nlet b = 3;\n', 'lib/new.js': 'export {};\n' },
  },
  {
    name: 'changes several places of a file',
    before: { p: poem },
    patch: wrap('*** Update File: p\n@@\n-roses\n+tulips\n@@\n-you\n+me\n'),
    after: { p: 'tulips\nviolets\nsugar\nme\n' },
  },
  {
    name: 'only deletes lines',
    before: { p: poem },
    patch: wrap('*** Update File: p\n@@\n violets\n-sugar\n you\n'),
    after: { p: 'roses\nviolets\nyou\n' },
  },
  {
    name: 'adds at the end without context',
    before: { p: 'roses\n' },
    patch: wrap('*** Update File: p\n@@\n+violets\n'),
    after: { p: 'roses\nviolets\n' },
  },
  {
    name: 'adds below an anchor',
    before: { p: poem },
    patch: wrap('*** Update File: p\n@@ violets\n+are blue\n'),
    after: { p: 'roses\nviolets\nare blue\nsugar\nyou\n' },
  },
  {
    name: 'needs no head for the first change',
    before: { p: poem },
    patch: wrap('*** Update File: p\n roses\n+are red\n violets\n'),
    after: { p: 'roses\nare red\nviolets\nsugar\nyou\n' },
  },
  {
    name: 'tells repeated lines apart by the anchor',
    before: { f: 'one() {\n  go;\n}\ntwo() {\n  go;\n}\n' },
    patch: wrap('*** Update File: f\n@@ two() {\n-  go;\n+  stop;\n'),
    after: { f: 'one() {\n  go;\n}\ntwo() {\n  stop;\n}\n' },
  },
  {
    name: 'bears an anchor that is repeated as context',
    before: { f: 'one() {\n  go;\n}\n' },
    patch: wrap('*** Update File: f\n@@ one() {\n one() {\n-  go;\n+  stop;\n'),
    after: { f: 'one() {\n  stop;\n}\n' },
  },
  {
    name: 'bears the head of a unified diff',
    before: { p: poem },
    patch: wrap('*** Update File: p\n@@ -1,2 +1,2 @@ poem\n roses\n-violets\n+lilies\n'),
    after: { p: 'roses\nlilies\nsugar\nyou\n' },
  },
  {
    name: 'takes the last match where the end of the file is meant',
    before: { l: 'x\nend\nx\nend\n' },
    patch: wrap('*** Update File: l\n@@\n x\n-end\n+END\n*** End of File\n'),
    after: { l: 'x\nend\nx\nEND\n' },
  },
  {
    name: 'looks further up where the end of the file does not match',
    before: { l: 'x\nend\ny\n' },
    patch: wrap('*** Update File: l\n@@\n-end\n+END\n*** End of File\n'),
    after: { l: 'x\nEND\ny\n' },
  },
  {
    name: 'moves and changes a file',
    before: { 'src/a.txt': 'a\n', 'src/b.txt': 'b\n' },
    patch: wrap('*** Update File: src/a.txt\n*** Move to: dst/deep/a.txt\n@@\n-a\n+A\n'),
    after: { 'src/b.txt': 'b\n', 'dst/deep/a.txt': 'A\n' },
  },
  {
    name: 'moves over a file that is there',
    before: { a: 'new\n', b: 'old\n' },
    patch: wrap('*** Update File: a\n*** Move to: b\n@@\n-new\n+newer\n'),
    after: { b: 'newer\n' },
  },
  {
    name: 'only renames',
    before: { a: 'no end\r\nof line' },
    patch: wrap('*** Update File: a\n*** Move to: b\n'),
    after: { b: 'no end\r\nof line' },
  },
  {
    name: 'moves to where it is',
    before: { a: '1\n' },
    patch: wrap('*** Update File: a\n*** Move to: ./a\n@@\n-1\n+2\n'),
    after: { a: '2\n' },
  },
  {
    name: 'ends the last line',
    before: { a: 'one\ntwo' },
    patch: wrap('*** Update File: a\n@@\n-one\n+ONE\n'),
    after: { a: 'ONE\ntwo\n' },
  },
  { name: 'empties a file', before: { a: 'one\n' }, patch: wrap('*** Update File: a\n@@\n-one\n'), after: { a: '' } },
  {
    name: 'reads a blank line as blank context',
    before: { a: 'one\n\ntwo\n' },
    patch: wrap('*** Update File: a\n@@\n one\n\n-two\n+2\n'),
    after: { a: 'one\n\n2\n' },
  },
  {
    name: 'bears a blank line before the next file',
    before: { a: 'one\n', b: 'two\n' },
    patch: wrap('*** Update File: a\n@@\n-one\n+1\n\n*** Update File: b\n@@\n-two\n+2\n\n'),
    after: { a: '1\n', b: '2\n' },
  },
  {
    name: 'bears blanks around the markers',
    before: { a: 'one\n' },
    patch: '\n  *** Begin Patch  \n  *** Update File: a\n@@\n-one\n+1\n  *** End Patch  \n\n',
    after: { a: '1\n' },
  },
  {
    name: 'bears a heredoc around it',
    before: { a: 'one\n' },
    patch: `<<'EOF'\n${wrap('*** Update File: a\n@@\n-one\n+1\n')}EOF\n`,
    after: { a: '1\n' },
  },
  {
    name: 'bears the whole shell command',
    before: { a: 'one\n' },
    patch: `apply_patch <<"PATCH"\n${wrap('*** Update File: a\n@@\n-one\n+1\n')}\nPATCH`,
    after: { a: '1\n' },
  },
  {
    name: 'bears a patch with CRLF',
    before: { a: 'one\ntwo\n' },
    patch: wrap('*** Update File: a\n@@\n-one\n+1\n two\n').replaceAll('\n', '\r\n'),
    after: { a: '1\ntwo\n' },
  },
  {
    name: 'keeps CRLF',
    before: { a: 'one\r\ntwo\r\n' },
    patch: wrap('*** Update File: a\n@@\n one\n+and a half\n two\n'),
    after: { a: 'one\r\nand a half\r\ntwo\r\n' },
  },
  {
    name: 'keeps each line end where they are mixed',
    before: { a: 'one\r\ntwo\nthree\rfour\n' },
    patch: wrap('*** Update File: a\n@@\n one\n two\n-three\n+3\n four\n'),
    after: { a: 'one\r\ntwo\n3\r\nfour\n' },
  },
  {
    name: 'finds lines despite blanks at their ends',
    before: { a: 'one  \n\ttwo\n' },
    patch: wrap('*** Update File: a\n@@\n one\n-\ttwo\n+\t2\n'),
    after: { a: 'one  \n\t2\n' },
  },
  {
    name: 'finds lines despite other indentation, and leaves context as it is',
    before: { a: '    one\n    two\n' },
    patch: wrap('*** Update File: a\n@@\n one\n-two\n+    2\n'),
    after: { a: '    one\n    2\n' },
  },
  {
    name: 'finds lines despite typographic signs',
    before: { a: 'a \u2013 b\n\u201cc\u201d isn\u2019t\u00a0d\nnext\n' },
    patch: wrap('*** Update File: a\n@@\n a - b\n-"c" isn\'t d\n+gone\n'),
    after: { a: 'a \u2013 b\ngone\nnext\n' },
  },
  {
    name: 'prefers the exact match further down',
    before: { a: ' x\ny\nx\ny\n' },
    patch: wrap('*** Update File: a\n@@\n-x\n+z\n'),
    after: { a: ' x\ny\nz\ny\n' },
  },
  {
    name: 'keeps letters beyond ASCII and a byte order mark',
    before: { a: '\ufeffna\u00efve\n\u6f22\u5b57 \u{1f980}\n' },
    patch: wrap('*** Update File: a\n@@\n-\u6f22\u5b57 \u{1f980}\n+\u4eee\u540d \u{1f980}\n'),
    after: { a: '\ufeffna\u00efve\n\u4eee\u540d \u{1f980}\n' },
  },
  {
    name: 'takes lines that look like markers as content',
    before: { a: '*** Begin Patch\nx\n' },
    patch: wrap('*** Update File: a\n@@\n *** Begin Patch\n-x\n+*** End Patch\n'),
    after: { a: '*** Begin Patch\n*** End Patch\n' },
  },
  {
    name: 'keeps what came before a failure',
    before: {},
    patch: wrap('*** Add File: a\n+1\n*** Update File: none\n@@\n-x\n+y\n'),
    after: { a: '1\n' },
    fails: /none: No such file[^]*earlier parts[^]*A a\n$/,
  },
  {
    name: 'writes nothing of a file of which one change fails',
    ...same({ p: poem }),
    patch: wrap('*** Update File: p\n@@\n-roses\n+tulips\n@@\n-daisies\n+me\n'),
    fails: /Failed to find expected lines in .*p:\ndaisies/,
  },
  {
    name: 'refuses an anchor that is nowhere',
    ...same({ p: poem }),
    patch: wrap('*** Update File: p\n@@ daisies\n-you\n+me\n'),
    fails: /Failed to find context 'daisies' in /,
  },
  {
    name: 'refuses changes out of order',
    ...same({ p: poem }),
    patch: wrap('*** Update File: p\n@@\n-you\n+me\n@@\n-roses\n+tulips\n'),
    fails: /expected lines in .*p:\nroses/,
  },
  {
    name: 'refuses more lines than the file has',
    ...same({ a: 'x\n' }),
    patch: wrap('*** Update File: a\n@@\n x\n y\n z\n-w\n'),
    fails: /Failed to find expected lines/,
  },
  { name: 'refuses an empty patch', ...same({ a: 'x\n' }), patch: wrap(''), fails: /No files were modified/ },
  {
    name: 'refuses an update without changes',
    ...same({ a: 'x\n' }),
    patch: wrap('*** Update File: a\n'),
    fails: /line 2, Update file hunk for path 'a' is empty/,
  },
  { name: 'refuses an empty change', ...same({ a: 'x\n' }), patch: wrap('*** Update File: a\n@@\n'), fails: /does not contain any lines/ },
  {
    name: 'refuses a change without head after the first',
    ...same({ a: 'x\n' }),
    patch: wrap('*** Update File: a\n@@\n-x\n+y\nstray\n'),
    fails: /line 6, Expected update hunk to start with a @@.*'stray'/,
  },
  {
    name: 'refuses a line without sign',
    ...same({ a: 'x\n' }),
    patch: wrap('*** Update File: a\n@@\nx\n'),
    fails: /Unexpected line found in update hunk: 'x'/,
  },
  {
    name: 'refuses an unknown header',
    ...same({ a: 'x\n' }),
    patch: wrap('*** Rename File: a\n'),
    fails: /'\*\*\* Rename File: a' is not a valid hunk header/,
  },
  {
    name: 'refuses to update what is not there',
    ...same({ a: 'x\n' }),
    patch: wrap('*** Update File: b\n@@\n-x\n+y\n'),
    fails: /Failed to read file to update .*b: No such file/,
  },
  {
    name: 'refuses to delete what is not there',
    ...same({ a: 'x\n' }),
    patch: wrap('*** Delete File: b\n'),
    fails: /Failed to delete file .*b/,
  },
  {
    name: 'refuses to delete a folder',
    ...same({ 'd/a': 'x\n' }),
    patch: wrap('*** Delete File: d\n'),
    fails: /Failed to delete file .*d/,
  },
  {
    name: 'refuses a file where a folder should be',
    ...same({ a: 'x\n' }),
    patch: wrap('*** Add File: a/b\n+y\n'),
    fails: /Failed to write file .*a\/b/,
  },
  { name: 'refuses text without a beginning', ...same({ a: 'x\n' }), patch: '--- a\n+++ a\n', fails: /first line of the patch must be/ },
  {
    name: 'refuses text without an end',
    ...same({ a: 'x\n' }),
    patch: '*** Begin Patch\n*** Delete File: a\n',
    fails: /last line of the patch must be/,
  },
  { name: 'refuses nothing at all', ...same({ a: 'x\n' }), patch: '', fails: /first line of the patch must be/ },
];
