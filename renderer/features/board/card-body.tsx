import {
  approvalsOf,
  heldBackBy,
  questionsOf,
  threadOf,
  workspaceOf,
  type Activity,
  type Board,
  type Question,
  type Task,
  type TaskStatus,
} from '../../../agent-core/contract/index.ts';
import { ActionButton, TaskMenu } from '../../actions/action-button.tsx';
import { attempt } from '../../actions/registry.ts';
import { boardView } from '../../state/board-view.ts';
import { useCore, useCoreShallow } from '../../state/hooks.ts';
import { openTask } from '../../state/route.ts';
import { rpc } from '../../state/store.ts';
import { Button, IconButton, Progress, age, useClockText } from '../../ui/index.ts';

interface BodyProps {
  task: Task;
  current: boolean;
}

function ApprovalBody({ task, current }: BodyProps) {
  const asked = useCoreShallow(({ board }) => (board ? approvalsOf(board, task.id) : []));
  const first = asked[0];
  if (!first) return null;
  return (
    <>
      <code className="cmd">{first.subject}</code>
      {(first.reason || first.effect) && <p className="clamp">{first.reason || first.effect}</p>}
      {asked.length > 1 && (
        <p>
          And {asked.length - 1} more {asked.length === 2 ? 'request' : 'requests'} of this task.
        </p>
      )}
      <div className="acts">
        <ActionButton id="task.approve" taskId={task.id} look={current ? 'fill' : 'edge'} showKeys={current} />
        <ActionButton id="task.decline" taskId={task.id} look={current ? 'edge' : 'quiet'} showKeys={current} />
        <span className="grow" />
        <TaskMenu
          taskId={task.id}
          without={['task.approve', 'task.decline', 'task.open']}
          trigger={
            <IconButton icon="more" label="More: approve for this task, for this project" onClick={(event) => event.stopPropagation()} />
          }
        />
      </div>
    </>
  );
}

const CHOICES = 3;

/** Answers that fit on a card: one question with a few choices. */
function choices(question: Question | undefined) {
  const [only, second] = question?.questions ?? [];
  return only && !second && only.options.length > 0 && only.options.length <= CHOICES ? { id: only.id, options: only.options } : null;
}

function QuestionBody({ task, current }: BodyProps) {
  const question = useCore(({ board }) => (board ? questionsOf(board, task.id)[0] : undefined));
  if (!question) return null;
  const short = choices(question);
  return (
    <>
      <p className="clamp">
        <strong>{question.questions[0]?.question}</strong>
      </p>
      <div className="acts">
        {short?.options.map(({ label, description }) => (
          <Button
            key={label}
            title={description}
            onClick={() =>
              void attempt(
                () =>
                  rpc()
                    .call('question/answer', { questionId: question.id, answers: { [short.id]: label } })
                    .then(() => undefined),
                task.id,
              )
            }
          >
            {label}
          </Button>
        ))}
        <Button look={short ? 'quiet' : current ? 'fill' : 'edge'} onClick={() => openTask(task.id)}>
          Reply
        </Button>
      </div>
    </>
  );
}

/** Why a task failed, in one sentence. */
function failureOf(board: Board, task: Task): string {
  const workspace = workspaceOf(board, task);
  if (workspace?.phase === 'failed') return workspace.error?.message ?? 'Its worktree could not be made.';
  const turn = threadOf(board, task)?.turn;
  if (turn?.interruptedBy === 'crash') return 'Interrupted: the core stopped while it worked.';
  return turn?.error?.message ?? 'The turn failed.';
}

function FailedBody({ task, current }: BodyProps) {
  const why = useCore(({ board }) => (board ? failureOf(board, task) : ''));
  return (
    <>
      <p className="clamp">{why}</p>
      <div className="acts">
        <ActionButton id="task.retry" taskId={task.id} showKeys={current} />
        <ActionButton id="task.terminal" taskId={task.id} look="quiet" />
      </div>
    </>
  );
}

const ORDINALS = ['Next to start', 'Second in line', 'Third in line'];

/** Why a task waits for more than another's work. */
const HELD_BACK = {
  coming: '',
  stopped: ', which was stopped',
  failed: ', which failed',
  trashed: ', which is in the trash',
  gone: ' that was deleted',
} as const;

function queueLine(board: Board, task: Task): string {
  const held = heldBackBy(board, task);
  if (held) return `After ${board.tasks[held.id] ? `“${board.tasks[held.id]!.title}”` : 'a task'}${HELD_BACK[held.why]}`;
  if (task.phase === 'held') return 'Held until you start it';
  const { columns, status } = boardView(board);
  const line = columns.queued.filter((id) => status[id] === 'queued' && board.tasks[id]?.phase === 'queued');
  const place = line.indexOf(task.id);
  return ORDINALS[place] ?? `Number ${place + 1} in line`;
}

function QueuedBody({ task, current }: BodyProps) {
  const line = useCore(({ board }) => (board ? queueLine(board, task) : ''));
  return (
    <>
      <div className="live cut">
        <span className="cut">{line}</span>
      </div>
      {current && (
        <div className="acts">
          <ActionButton id="task.start" taskId={task.id} showKeys />
        </div>
      )}
    </>
  );
}

const VERBS: Record<Activity['verb'], string> = {
  thinking: 'thinking',
  running: 'running',
  editing: 'editing',
  preparing: 'preparing',
  writing: 'writing',
  waiting: 'waiting',
};

/** Elapsed time of the moment's work; quick steps (edits) don't need one. */
function Elapsed({ since }: { since: number }) {
  const text = useClockText((now) => (now - since >= 1000 ? ` · ${age(now - since)}` : ''));
  return <span className="tail">{text}</span>;
}

function WorkingBody({ task, current }: BodyProps) {
  const activity = useCore((state) => state.activity[task.id]);
  const preparing = useCore(({ board }) => (board ? workspaceOf(board, task)?.phase === 'preparing' : false));
  const verb = activity ? VERBS[activity.verb] : preparing ? 'preparing the worktree' : 'starting';
  return (
    <>
      <div className="live cut">
        <span className="cut">
          {verb}
          {activity?.subject && (
            <>
              {' '}
              <code>{activity.subject}</code>
            </>
          )}
        </span>
        {activity && <Elapsed since={activity.since} />}
      </div>
      {activity?.progress != null && <Progress value={activity.progress} label={`${verb} ${activity.subject}`} />}
      {current && (
        <div className="acts">
          <ActionButton id="task.stop" taskId={task.id} showKeys />
          <ActionButton id="task.terminal" taskId={task.id} look="quiet" />
        </div>
      )}
    </>
  );
}

function ReviewBody({ task, current }: BodyProps) {
  const stopped = useCore(({ board }) => (board ? threadOf(board, task)?.turn?.status === 'interrupted' : false));
  return (
    <>
      {stopped && (
        <div className="live">
          <span>Stopped by you</span>
        </div>
      )}
      {current && (
        <div className="acts">
          <ActionButton id="task.review" taskId={task.id} showKeys />
          <ActionButton id="task.merge" taskId={task.id} look="quiet" icon showKeys />
        </div>
      )}
    </>
  );
}

/** The part of a card that its state decides: what is asked, what goes on, what can be done from here. */
export function CardBody({ task, status, current }: BodyProps & { status: TaskStatus }) {
  switch (status) {
    case 'needs-approval':
      return <ApprovalBody task={task} current={current} />;
    case 'has-question':
      return <QuestionBody task={task} current={current} />;
    case 'failed':
      return <FailedBody task={task} current={current} />;
    case 'queued':
      return <QueuedBody task={task} current={current} />;
    case 'limited':
      return (
        <div className="live cut">
          <span className="cut">Waits for the model’s limit</span>
        </div>
      );
    case 'working':
      return <WorkingBody task={task} current={current} />;
    case 'review':
      return <ReviewBody task={task} current={current} />;
    case 'done':
      return null;
  }
}
