import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Skills that come with Signalbox, by name. Written below SIGNALBOX_HOME, where the sandbox can show them. */
const SKILLS: Record<string, string> = {
  'skill-creator': `---
name: skill-creator
description: How to write a skill (a SKILL.md that agents follow for one kind of work). Use when the person asks for a new skill or a better one.
---
# Writing a skill

A skill is a folder with a SKILL.md: instructions for one kind of work, read only when that work comes up.

1. Ask, or find in the code base, three real examples of the work. Write for these, not for the general case.
2. Put it at .agents/skills/<name>/SKILL.md of the repository (for this project) or ~/.agents/skills/<name>/ (for this person: give the person the text, that folder is out of reach here).
3. Begin with front matter between two lines of ---: \`name\` (lower case, hyphens, at most 64 characters) and \`description\` (at most 1,024): what it does and when to use it. The description is all that is seen until the skill is opened, so it holds the words that the person would use.
4. Then the steps, as you would tell a capable colleague: what to look at first, the commands of this project, what goes wrong, how to know that it is done. Leave out what any good engineer knows.
5. Long material (tables, references, templates) goes into files beside it; say in SKILL.md when to read which. What must come out the same each time is a script in the folder, not prose.
6. Keep SKILL.md under 300 lines. Try it: do one of the examples by following it to the letter, and mend what you had to guess.
`,
  'commit-series': `---
name: commit-series
description: Turns finished but uncommitted work into a series of small commits, each of which builds and says why. Use when the person asks to commit, to split a change, or to clean up a branch's history.
---
# A series of commits

1. Look at everything: \`git status --short\`, \`git diff\`, \`git log --oneline -15\` (the project's style of messages).
2. Name the reasons in the change, one line each. Each reason is one commit; what only serves a reason (its test, its doc line) goes with it. Renames and formatting stand alone, first.
3. For each in turn: \`git add -p\` or the paths; then the nearest check of the project on what is staged (\`git stash --keep-index -u\` before, \`git stash pop\` after). A commit that breaks the build is joined with the next.
4. The message: first line at most 72 characters, what changes for whom; then why, what was considered, what is left. No list of files.
5. At the end: \`git status\` is clean, \`git log --oneline\` reads as a story, and the tree equals the one you began with (\`git diff <before>\` is empty).
`,
};

/** Writes them where they are not there or differ. Throws what the disk throws. */
export async function writeBundledSkills(home: string): Promise<void> {
  for (const [name, text] of Object.entries(SKILLS)) {
    const folder = join(home, 'bundled-skills', name);
    const file = join(folder, 'SKILL.md');
    if ((await readFile(file, 'utf8').catch(() => null)) === text) continue;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFile(file, text);
  }
}
