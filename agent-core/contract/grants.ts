import { z } from 'zod';

/** What a person lets out of a sandbox for good: for one task, or for each task of a project. */
export const Grants = z.object({
  /** Host patterns with their port, such as `registry.npmjs.org:443` or `*.example.com:443`. */
  hosts: z.array(z.string()),
  /** Single services of this computer or the private network, such as `localhost:5432`. */
  services: z.array(z.string()),
  /** Files of the worktree, or folders, that tools of this computer may run by themselves, whatever agents write there. */
  files: z.array(z.string()).optional(),
});
export type Grants = z.infer<typeof Grants>;

export const noGrants: Grants = { hosts: [], services: [] };
