import { createContext, useContext, type ReactNode } from 'react';
import type { EvidenceMark } from '../../../agent-core/contract/index.ts';
import { Icon, Tip, type IconName } from '../../ui/index.ts';
import { visible } from '../../ui/safe-text.ts';

/** Where what a message cites can be opened. */
export interface Opener {
  openItem: (itemId: string) => void;
  openFile: (path: string, line?: number) => void;
}
export const OpenerContext = createContext<Opener | null>(null);
export const EvidenceContext = createContext<readonly EvidenceMark[]>([]);

const looks: Record<EvidenceMark['state'], { icon: IconName; tone: string; word: string }> = {
  backed: { icon: 'check', tone: 'ok', word: '' },
  stale: { icon: 'limited', tone: 'warn', word: 'stale' },
  contradicted: { icon: 'failed', tone: 'bad', word: 'did not pass' },
  missing: { icon: 'question', tone: 'warn', word: 'not backed' },
};

/** One citation or claim: what backs it, as a link to it; or the words that nothing does. */
export function Evidence({ index, children }: { index: number; children?: ReactNode }) {
  const mark = useContext(EvidenceContext)[index];
  const opener = useContext(OpenerContext);
  if (!mark) return children;
  const look = looks[mark.state];
  const open =
    mark.itemId !== null
      ? () => opener?.openItem(mark.itemId!)
      : mark.path !== null && mark.state === 'backed'
        ? () => opener?.openFile(mark.path!, mark.line ?? undefined)
        : null;
  const chip = (
    <>
      <Icon small name={look.icon} className={look.tone} />
      {look.word ? <span className={look.tone}>{look.word}</span> : visible(mark.label)}
    </>
  );
  const isFile = mark.kind === 'file';
  if (!open || !opener)
    return (
      <>
        {children}{' '}
        <span className="ev ev-none" title={visible(mark.words)}>
          {chip}
          <span className="vh">: {visible(mark.words)}</span>
        </span>
      </>
    );
  return (
    <>
      {!isFile && ' '}
      <Tip text={visible(mark.words)}>
        <button
          type="button"
          className={isFile ? 'ev ev-file' : 'ev'}
          aria-label={isFile ? undefined : `${look.word || visible(mark.label)}: ${visible(mark.words)}`}
          onClick={open}
        >
          {isFile ? children || visible(mark.label) : chip}
        </button>
      </Tip>
    </>
  );
}
