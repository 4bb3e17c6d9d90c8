import type { ReactNode } from 'react';

/** One section of the page, named by its heading. A section with nothing to say yet draws nothing. */
export function Section({ id, title, children }: { id: string; title: string; children: ReactNode }) {
  return (
    <section aria-labelledby={`project-${id}`}>
      <h2 id={`project-${id}`}>{title}</h2>
      <div className="stack-12">{children}</div>
    </section>
  );
}
