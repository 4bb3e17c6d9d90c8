import { useEffect, useId, useRef, useState, type KeyboardEvent } from 'react';
import { toAppError, type AppError } from '../../../agent-core/contract/index.ts';
import { go } from '../../state/route.ts';
import { rpc } from '../../state/store.ts';
import { useCore } from '../../state/hooks.ts';
import { closeLayer } from '../../state/ui.ts';
import { Button, Dialog, ErrorNote, Field, Icon } from '../../ui/index.ts';

interface Suggestion {
  path: string;
  repository: boolean;
}

/** Folders that begin with what was typed; answers that come late are dropped. */
function useSuggestions(prefix: string): readonly Suggestion[] {
  const [found, setFound] = useState<readonly Suggestion[]>([]);
  useEffect(() => {
    let live = true;
    rpc()
      .call('project/suggest', { prefix })
      .then(
        ({ folders }) => {
          if (live) setFound(folders);
        },
        () => {
          if (live) setFound([]);
        },
      );
    return () => {
      live = false;
    };
  }, [prefix]);
  return found;
}

function useOpen() {
  const [error, setError] = useState<AppError | null>(null);
  const [busy, setBusy] = useState(false);
  const open = async (path: string, init = false) => {
    setBusy(true);
    setError(null);
    try {
      const project = await rpc().call('project/open', { path, ...(init ? { init } : {}) });
      closeLayer();
      go({ place: 'board', project: project.id, filter: null });
    } catch (thrown) {
      setError(toAppError(thrown));
      setBusy(false);
    }
  };
  return { error, busy, open, clear: () => setError(null) };
}

/** The path as a combobox: ↓ and ↑ choose, Tab takes a suggestion over to go on from there, Enter opens. */
function PathField({ path, setPath, onOpen }: { path: string; setPath: (path: string) => void; onOpen: () => void }) {
  const found = useSuggestions(path).slice(0, 8);
  const [at, setAt] = useState(-1);
  const id = useId();
  const press = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    const chosen = found[at];
    if (event.key === 'ArrowDown') setAt(Math.min(found.length - 1, at + 1));
    else if (event.key === 'ArrowUp') setAt(Math.max(-1, at - 1));
    else if (event.key === 'Tab' && !event.shiftKey && chosen) {
      setPath(`${chosen.path.replace(/\/$/, '')}/`);
      setAt(-1);
    } else if (event.key === 'Enter' && chosen) {
      setPath(chosen.path);
      setAt(-1);
    } else if (event.key === 'Enter') onOpen();
    else return;
    event.preventDefault();
  };
  return (
    <Field label="Folder" hint="A git repository, or a subfolder of one.">
      {(props) => (
        <>
          <input
            {...props}
            className="input mono"
            role="combobox"
            aria-expanded={found.length > 0}
            aria-controls={`${id}-list`}
            aria-activedescendant={at >= 0 ? `${id}-${at}` : undefined}
            aria-autocomplete="list"
            spellCheck={false}
            autoComplete="off"
            value={path}
            placeholder="~/code/project"
            onChange={(event) => {
              setPath(event.target.value);
              setAt(-1);
            }}
            onKeyDown={press}
          />
          <ul className="rows" role="listbox" id={`${id}-list`} aria-label="Folders" hidden={found.length === 0}>
            {found.map((folder, index) => (
              <li
                key={folder.path}
                id={`${id}-${index}`}
                role="option"
                aria-selected={index === at}
                className={index === at ? 'head' : undefined}
                onMouseDown={(event) => {
                  event.preventDefault();
                  setPath(folder.path);
                }}
              >
                <Icon name="folder" />
                <span className="grow cut mono">{folder.path}</span>
                {folder.repository && <span className="xs faint">repository</span>}
              </li>
            ))}
          </ul>
        </>
      )}
    </Field>
  );
}

/** Opens a folder as a project: by the system's picker where there is one, else by its path. */
export function FolderDialog() {
  const start = useCore((state) => state.host?.openOn ?? '');
  const [path, setPath] = useState(start);
  const { error, busy, open, clear } = useOpen();
  const body = useRef<HTMLDivElement>(null);
  const pick = async () => {
    const picked = await window.signalbox?.pickFolder();
    if (picked) {
      setPath(picked);
      await open(picked);
    }
  };
  const canInit = error?.code === 'not-a-repository' || error?.code === 'no-commits';
  const foot = (
    <>
      {window.signalbox && (
        <Button icon="folder" onClick={() => void pick()}>
          Browse…
        </Button>
      )}
      <span className="grow" />
      <Button onClick={closeLayer}>Cancel</Button>
      <Button look="fill" disabled={busy || !path.trim()} onClick={() => void open(path.trim())}>
        Open folder
      </Button>
    </>
  );
  return (
    <Dialog open onClose={closeLayer} title="Open a folder" foot={foot}>
      <div ref={body} className="field">
        <PathField
          path={path}
          setPath={(next) => {
            setPath(next);
            clear();
          }}
          onOpen={() => void open(path.trim())}
        />
      </div>
      {error && (
        <ErrorNote
          error={error}
          actions={
            canInit && (
              <Button small onClick={() => void open(path.trim(), true)}>
                {error.code === 'no-commits' ? 'Make a first commit' : 'Run git init here'}
              </Button>
            )
          }
        />
      )}
    </Dialog>
  );
}
