import { z } from 'zod';

/** A secret that the proxy adds to the requests for one host. The secret itself is in the key store, and never sent back. */
export const Credential = z.object({
  id: z.string(),
  /** A host pattern with its port. Only https is added to. */
  host: z.string(),
  /** `bearer`: `Authorization: Bearer …`; `basic`: a user and a password, as git and many registries take; `header`: as it is. */
  kind: z.enum(['bearer', 'basic', 'header']),
  /** The header's name. */
  header: z.string(),
  /** For `basic`; '' otherwise. */
  user: z.string(),
});
export type Credential = z.infer<typeof Credential>;

/** What a person lets out of a sandbox for good: for one task, or for each task of a project. */
export const Grants = z.object({
  /** Host patterns with their port, such as `registry.npmjs.org:443` or `*.example.com:443`. */
  hosts: z.array(z.string()),
  /** Single services of this computer or the private network, such as `localhost:5432`. */
  services: z.array(z.string()),
  /** For each task of a project; a task has none of its own. */
  credentials: z.array(Credential).optional(),
  /** Files of the worktree, or folders, that tools of this computer may run by themselves, whatever agents write there. */
  files: z.array(z.string()).optional(),
});
export type Grants = z.infer<typeof Grants>;

export const noGrants: Grants = { hosts: [], services: [] };

/** One connection that a task's processes asked for, or one request of plain HTTP, when it is over. */
export const Connection = z.object({
  /** Rises by one with each entry of its task. */
  number: z.number().int(),
  /** When it was asked for, milliseconds since the epoch. */
  time: z.number().int(),
  host: z.string(),
  port: z.number().int(),
  /** Bytes that came from the host, and that went to it. */
  bytesIn: z.number().int(),
  bytesOut: z.number().int(),
  /** `failed` was allowed and could not be reached, or broke off at once. */
  verdict: z.enum(['allowed', 'blocked', 'failed']),
  /** Why, where it was not simply allowed; '' otherwise. */
  reason: z.string(),
  /** The command line that asked, where it was blocked and can be told; '' otherwise. */
  command: z.string(),
});
export type Connection = z.infer<typeof Connection>;

/** A port that something in a task's workspace listens on. */
export const WorkspacePort = z.object({
  port: z.number().int(),
  /** The command line of what listens; '' where it can't be told. */
  command: z.string(),
  /** The port of the person's own loopback that leads there; null while none does. */
  open: z.number().int().nullable(),
});
export type WorkspacePort = z.infer<typeof WorkspacePort>;

/** Hosts that a package manager or a forge needs, by a name that a person chooses. */
export const NETWORK_PRESETS = {
  npm: { title: 'npm', hosts: ['registry.npmjs.org:443', 'registry.yarnpkg.com:443', 'repo.yarnpkg.com:443', 'nodejs.org:443'] },
  pypi: { title: 'PyPI', hosts: ['pypi.org:443', 'files.pythonhosted.org:443'] },
  crates: { title: 'crates.io', hosts: ['index.crates.io:443', 'static.crates.io:443', 'crates.io:443', 'static.rust-lang.org:443'] },
  go: { title: 'Go modules', hosts: ['proxy.golang.org:443', 'sum.golang.org:443', 'go.dev:443', 'dl.google.com:443'] },
  debian: { title: 'Debian', hosts: ['deb.debian.org:80', 'deb.debian.org:443', 'security.debian.org:80', 'security.debian.org:443'] },
  github: {
    title: 'GitHub',
    hosts: [
      'github.com:443',
      'api.github.com:443',
      'codeload.github.com:443',
      'raw.githubusercontent.com:443',
      'objects.githubusercontent.com:443',
      'release-assets.githubusercontent.com:443',
      'github-cloud.s3.amazonaws.com:443',
    ],
  },
} as const satisfies Record<string, { title: string; hosts: readonly string[] }>;

export type NetworkPreset = keyof typeof NETWORK_PRESETS;
