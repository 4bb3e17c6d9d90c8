import { useEffect, useRef, useState, type KeyboardEvent } from 'react';
import { Button, isMac } from '../../ui/index.ts';
import type { Comment } from './draft.ts';

const where = (side: Comment['side'], line: number): string => `${side === 'deletions' ? 'Removed line' : 'Line'} ${line}, draft`;

/** Writes or changes a comment on a line. Esc leaves it as it was, ⌘↵ keeps it. */
export function CommentEditor({
  side,
  line,
  text,
  onSave,
  onCancel,
}: {
  side: Comment['side'];
  line: number;
  text: string;
  onSave: (text: string) => void;
  onCancel: () => void;
}) {
  const [value, setValue] = useState(text);
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    field.current?.focus({ preventScroll: true });
  }, []);
  const save = () => {
    if (value.trim()) onSave(value.trim());
  };
  const keys = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    if (event.key === 'Escape') {
      event.preventDefault();
      event.stopPropagation();
      onCancel();
    }
    if (event.key === 'Enter' && (isMac ? event.metaKey : event.ctrlKey)) {
      event.preventDefault();
      event.stopPropagation();
      save();
    }
  };
  return (
    <div className="note" role="group" aria-label={`Comment on ${where(side, line).toLowerCase()}`}>
      <textarea
        ref={field}
        className="note-text"
        aria-label="Comment"
        rows={2}
        value={value}
        onChange={(event) => setValue(event.target.value)}
        onKeyDown={keys}
      />
      <div className="row">
        <span className="xs faint">{where(side, line)}</span>
        <Button look="quiet" small keys="escape" onClick={onCancel}>
          Cancel
        </Button>
        <Button look="fill" small disabled={!value.trim()} onClick={save}>
          Add to draft
        </Button>
      </div>
    </div>
  );
}

/** A comment of the draft in its place. */
export function CommentNote({ comment, onEdit, onRemove }: { comment: Comment; onEdit: (text: string) => void; onRemove: () => void }) {
  const [editing, setEditing] = useState(false);
  if (editing) {
    return (
      <CommentEditor
        side={comment.side}
        line={comment.line}
        text={comment.text}
        onCancel={() => setEditing(false)}
        onSave={(text) => {
          setEditing(false);
          onEdit(text);
        }}
      />
    );
  }
  return (
    <div className="note" role="group" aria-label={`Comment on ${where(comment.side, comment.line).toLowerCase()}`}>
      <p>{comment.text}</p>
      <div className="row">
        <span className="xs faint">{where(comment.side, comment.line)}</span>
        <Button look="quiet" small onClick={() => setEditing(true)}>
          Edit
        </Button>
        <Button look="quiet" small onClick={onRemove}>
          Remove
        </Button>
      </div>
    </div>
  );
}
