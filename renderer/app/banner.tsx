import { rpc } from '../state/store.ts';
import { useCore } from '../state/hooks.ts';
import { Button, Icon, useClockText } from '../ui/index.ts';

function Lost({ retryAt }: { retryAt: number }) {
  const wait = useClockText((now) => {
    const seconds = Math.ceil((retryAt - now) / 1000);
    return seconds > 0 ? `Trying again in ${seconds} s.` : 'Trying again now.';
  });
  return (
    <div className="banner" role="status">
      <Icon name="limited" />
      <span className="grow">
        The connection to the core is lost. What you see is the last it said; nothing acknowledged is gone.{' '}
        <span aria-hidden="true">{wait}</span>
      </span>
      <Button small onClick={() => rpc().retryNow()}>
        Try now
      </Button>
    </div>
  );
}

/** Says above everything that the core can't be reached; the window stays as it is. */
export function Banner() {
  const connection = useCore((state) => state.connection);
  if (connection.state === 'lost') return <Lost retryAt={connection.retryAt} />;
  if (connection.state === 'refused') {
    const { code, message, fix } = connection.error;
    return (
      <div className="banner banner-bad" role="alert">
        <Icon name="failed" />
        <span className="grow">
          {code === 'unauthorized' ? 'Signalbox was started anew, and this page belongs to the one before.' : message} {fix}
        </span>
      </div>
    );
  }
  return null;
}
