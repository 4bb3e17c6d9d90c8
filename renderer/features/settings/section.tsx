import type { ReactNode } from 'react';

/** One section of the page, a landmark by its title. */
export function Section({ id, title, children }: { id: string; title: string; children: ReactNode }) {
  return (
    <section aria-labelledby={`set-${id}`} id={`section-${id}`}>
      <h2 id={`set-${id}`}>{title}</h2>
      <div className="stack-12">{children}</div>
    </section>
  );
}

/** Leads to the sections: the page scrolls, the address stays. */
export function SectionNav({ sections }: { sections: readonly { id: string; title: string }[] }) {
  return (
    <nav className="settings-nav" aria-label="Sections of the settings">
      {sections.map(({ id, title }) => (
        <button
          key={id}
          type="button"
          className="nav"
          onClick={() => {
            const section = document.getElementById(`section-${id}`);
            section?.scrollIntoView({ block: 'start' });
            section?.querySelector<HTMLElement>('button, input, select, a')?.focus({ preventScroll: true });
          }}
        >
          {title}
        </button>
      ))}
    </nav>
  );
}
