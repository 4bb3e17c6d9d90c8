import type { ReactNode } from 'react';
import type { Project } from '../../../agent-core/contract/index.ts';

/** Hosts and services that each task of the project may reach. */
export function Network(_props: { project: Project }): ReactNode {
  return null;
}
