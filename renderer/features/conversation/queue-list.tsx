import { useState, type KeyboardEvent } from 'react';
import { DndContext, PointerSensor, useDraggable, useDroppable, useSensor, useSensors, type DragEndEvent } from '@dnd-kit/core';
import { toAppError, type AppError, type MessageId, type QueuedMessage, type Thread } from '../../../agent-core/contract/index.ts';
import { kindOf } from '../../state/kinds.ts';
import { rpc } from '../../state/store.ts';
import { speak } from '../../state/ui.ts';
import { Button, Icon, IconButton, Menu } from '../../ui/index.ts';
import { visible } from '../../ui/safe-text.ts';

const DRAG_PX = 6;

interface Doing {
  send: () => void;
  save: (text: string) => void;
  move: (by: -1 | 1) => void;
  remove: () => void;
}

function Editor({ message, onSave, onClose }: { message: QueuedMessage; onSave: (text: string) => void; onClose: () => void }) {
  const [text, setText] = useState(message.text);
  const keys = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    if (event.key === 'Escape') {
      event.preventDefault();
      onClose();
    } else if (event.key === 'Enter' && !event.shiftKey && text.trim()) {
      event.preventDefault();
      onSave(text);
    }
  };
  return (
    <div className="queue-edit">
      <textarea
        className="input"
        rows={Math.min(6, text.split('\n').length + 1)}
        aria-label="Queued message"
        value={text}
        // oxlint-disable-next-line jsx-a11y/no-autofocus -- it takes the place of the button that was pressed
        autoFocus
        onChange={(event) => setText(event.target.value)}
        onKeyDown={keys}
      />
      <Button small keys="enter" showKeys={false} disabled={!text.trim()} onClick={() => onSave(text)}>
        Save
      </Button>
      <Button small look="quiet" onClick={onClose}>
        Cancel
      </Button>
    </div>
  );
}

interface RowProps {
  message: QueuedMessage;
  place: number;
  last: number;
  running: boolean;
  doing: Doing;
}

function RowMenu({ place, last, doing, onEdit }: Pick<RowProps, 'place' | 'last' | 'doing'> & { onEdit: () => void }) {
  const first = place === 0 ? 'It is first' : undefined;
  const end = place === last ? 'It is last' : undefined;
  return (
    <Menu
      label="Queued message"
      trigger={
        <button type="button" className="btn btn-quiet btn-icon btn-24" aria-label="More for this message">
          <Icon name="more" />
        </button>
      }
      entries={[
        { id: 'edit', title: 'Edit', icon: 'pencil', run: onEdit },
        { id: 'up', title: 'Move up', keys: 'alt+arrowup', disabled: first, run: () => doing.move(-1) },
        { id: 'down', title: 'Move down', keys: 'alt+arrowdown', disabled: end, run: () => doing.move(1) },
      ]}
    />
  );
}

function Words({ message, place, last, running, doing, onEdit }: RowProps & { onEdit: () => void }) {
  const drag = useDraggable({ id: message.id });
  const soon = message.steer === true && running;
  const kind = message.kind && message.kind !== 'work' ? `${kindOf(message.kind).label}, ` : '';
  return (
    <>
      <span className="queue-grip" ref={drag.setNodeRef} {...drag.listeners} aria-hidden="true">
        <Icon name="queued" className="faint" />
      </span>
      <button type="button" className="queue-text cut" onClick={onEdit} title="Edit. Alt and an arrow key moves it.">
        {visible(message.text)}
      </button>
      <span className="xs faint">{`${kind}${soon ? 'at the next step' : 'next turn'}`}</span>
      {!soon && <IconButton icon="send" small label={running ? 'Steer with it now' : 'Send now'} onClick={doing.send} />}
      <IconButton icon="x" small label="Remove from the queue" keys="delete" onClick={doing.remove} />
      <RowMenu {...{ place, last, doing, onEdit }} />
    </>
  );
}

function Row(props: RowProps) {
  const { message, doing } = props;
  const [editing, setEditing] = useState(false);
  const { setNodeRef, isOver, active } = useDroppable({ id: message.id });
  const keys = (event: KeyboardEvent) => {
    if (editing) return;
    const moves = event.altKey && (event.key === 'ArrowUp' || event.key === 'ArrowDown');
    if (!moves && event.key !== 'Delete') return;
    event.preventDefault();
    if (moves) doing.move(event.key === 'ArrowUp' ? -1 : 1);
    else doing.remove();
  };
  const lifted = active?.id === message.id;
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- the keys are those of its buttons
    <li ref={setNodeRef} className={lifted ? 'is-lift' : isOver ? 'is-over' : ''} onKeyDown={keys}>
      {editing ? (
        <Editor
          message={message}
          onClose={() => setEditing(false)}
          onSave={(text) => {
            setEditing(false);
            doing.save(text);
          }}
        />
      ) : (
        <Words {...props} onEdit={() => setEditing(true)} />
      )}
    </li>
  );
}

/** What waits to be said, in order: dragged, or moved by keys; edited, sent now, removed. */
export function QueueList({ thread, running, onError }: { thread: Thread; running: boolean; onError: (error: AppError | null) => void }) {
  const sensors = useSensors(useSensor(PointerSensor, { activationConstraint: { distance: DRAG_PX } }));
  const { queue, id: threadId } = thread;
  if (queue.length === 0) return null;
  const tell = (work: Promise<unknown>) => {
    onError(null);
    work.catch((thrown: unknown) => onError(toAppError(thrown)));
  };
  const to = (messageId: MessageId, place: number) => {
    const rest = queue.filter((message) => message.id !== messageId);
    tell(rpc().call('queue/move', { threadId, messageId, before: rest[place]?.id ?? null }));
    speak(`Message ${place + 1} of ${queue.length}`);
  };
  const dropped = ({ active, over }: DragEndEvent) => {
    if (over && over.id !== active.id)
      to(
        active.id as MessageId,
        queue.findIndex((message) => message.id === over.id),
      );
  };
  return (
    <DndContext sensors={sensors} onDragEnd={dropped} accessibility={{ screenReaderInstructions: { draggable: '' } }}>
      <ul className="queue" aria-label="Queued messages">
        {queue.map((message, place) => (
          <Row
            key={message.id}
            message={message}
            place={place}
            last={queue.length - 1}
            running={running}
            doing={{
              send: () => tell(rpc().call('queue/send', { threadId, messageId: message.id })),
              save: (text) => tell(rpc().call('queue/edit', { threadId, messageId: message.id, text })),
              move: (by) => {
                if (place + by >= 0 && place + by < queue.length) to(message.id, place + by);
              },
              remove: () => tell(rpc().call('queue/remove', { threadId, messageId: message.id })),
            }}
          />
        ))}
      </ul>
    </DndContext>
  );
}
