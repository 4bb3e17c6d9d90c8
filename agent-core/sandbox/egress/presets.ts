/** Hosts that a package manager or a forge needs, by a name that a person chooses.. */
export const PRESETS = {
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

export type Preset = keyof typeof PRESETS;
