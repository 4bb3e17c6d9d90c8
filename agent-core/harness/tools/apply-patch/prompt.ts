/** The patch format for models that take a freeform tool, as a Lark grammar. */
export const APPLY_PATCH_GRAMMAR = `start: begin hunk+ end
begin: "*** Begin Patch" LF
end: "*** End Patch" LF?

hunk: add | remove | update
add: "*** Add File: " path LF added+
remove: "*** Delete File: " path LF
update: "*** Update File: " path LF move? change?
move: "*** Move to: " path LF

change: (anchor | line)+ at_end?
anchor: ("@@" | "@@ " /(.+)/) LF
line: ("+" | "-" | " ") /(.*)/ LF
at_end: "*** End of File" LF

path: /(.+)/
added: "+" /(.*)/ LF

%import common.LF
`;

/** The freeform tool's description. */
export const APPLY_PATCH_DESCRIPTION =
  'Edits files. Use it for every change to a file that you write yourself. The input is the patch text itself, not JSON.';

/** The description where the tool is an ordinary function with the patch as its `input` string: it must teach the format. */
export const APPLY_PATCH_FUNCTION_DESCRIPTION = `Edits files with a patch in this format:

*** Begin Patch
*** Add File: path/new.txt
+every line of the new file begins with a plus
*** Update File: path/old.txt
*** Move to: path/renamed.txt
@@ function aLineFurtherUpThatNarrowsThePlace()
 a line that stays, for context
-a line that goes
+a line that comes
*** Delete File: path/unused.txt
*** End Patch

Rules: each file begins with one of the three headers (the Move line is optional, right after Update). In an update, every line begins with a space (context), a minus or a plus. Give about three lines of context above and below a change, and an @@ line where they could stand in several places. "*** End of File" after a change says that it is at the end. Paths are relative to the working folder.`;
