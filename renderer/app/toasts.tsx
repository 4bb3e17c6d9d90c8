import { dismissToast } from '../state/ui.ts';
import { useUi } from '../state/hooks.ts';
import { Button, ErrorNote, IconButton } from '../ui/index.ts';

/** News at the corner, with an action beside it. */
export function Toasts() {
  const toasts = useUi((state) => state.toasts);
  if (!toasts.length) return null;
  return (
    <section className="toasts" aria-label="Notices">
      {toasts.map(({ id, text, action, error }) =>
        error ? (
          <div key={id} className="toast toast-error">
            <ErrorNote error={error} onDismiss={() => dismissToast(id)} />
          </div>
        ) : (
          <div key={id} className="toast" role="status">
            <span className="grow">{text}</span>
            {action && (
              <Button small onClick={action.run}>
                {action.title}
              </Button>
            )}
            <IconButton icon="x" label="Dismiss" small onClick={() => dismissToast(id)} />
          </div>
        ),
      )}
    </section>
  );
}

/** What is spoken: "needs you" and "done", moves of cards, refusals. */
export function LiveRegion() {
  const spoken = useUi((state) => state.spoken);
  return (
    <div className="vh" aria-live="polite" data-live>
      {spoken}
    </div>
  );
}
