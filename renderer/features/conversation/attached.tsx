import { useEffect, useState } from 'react';
import { attachmentsIn } from '../../../agent-core/contract/index.ts';
import { rpc } from '../../state/store.ts';
import { Icon } from '../../ui/index.ts';

const types: Record<string, string> = { png: 'image/png', jpg: 'image/jpeg', jpeg: 'image/jpeg', gif: 'image/gif', webp: 'image/webp' };
const typeOf = (name: string): string | undefined => types[name.slice(name.lastIndexOf('.') + 1).toLowerCase()];

function Picture({ path, name, type }: { path: string; name: string; type: string }) {
  const [data, setData] = useState('');
  useEffect(() => {
    let gone = false;
    rpc()
      .call('attachment/read', { path })
      .then(
        (read) => {
          if (!gone) setData(read.data);
        },
        () => {
          // Its name stands in the message all the same.
        },
      );
    return () => {
      gone = true;
    };
  }, [path]);
  return data ? <img className="attached" alt={name} src={`data:${type};base64,${data}`} /> : null;
}

/** The files that a message names: pictures as they are, others by name. */
export function Attached({ text }: { text: string }) {
  const files = attachmentsIn(text);
  if (!files.length) return null;
  return (
    <ul className="attached-files" aria-label="Attached files">
      {files.map(({ path, name }) => {
        const type = typeOf(name);
        return (
          <li key={path}>
            {type && <Picture path={path} name={name} type={type} />}
            <span className="xs faint row">
              <Icon small name="file" />
              {name}
            </span>
          </li>
        );
      })}
    </ul>
  );
}
