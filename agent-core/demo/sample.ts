import { documents } from './sample-documents.ts';
import { sources } from './sample-sources.ts';

/** The sample repository's folder name and package name. */
export const SAMPLE_NAME = 'corner-shop';

/** Stands in the sample's package.json: by this the demo model knows that it is at home. */
export const SAMPLE_MARKER = '"signalboxSample": 1';

export interface SampleCommit {
  message: string;
  /** Whole contents by path, for the files that this commit adds or changes. */
  files: Record<string, string>;
}

/** The sample's history, oldest first. The last commit is where the test fails and the feature is open. */
export function sampleCommits(): SampleCommit[] {
  const invoiceParts = ['src/invoice.js', 'test/invoice.test.js', 'src/server.js'];
  const all = { ...documents, ...sources };
  const pick = (wanted: (path: string) => boolean) => Object.fromEntries(Object.entries(all).filter(([path]) => wanted(path)));
  return [
    { message: 'A cart, a catalog and money that adds up', files: pick((path) => !invoiceParts.includes(path) && path !== 'ISSUES.md') },
    { message: 'Invoices with tax, and a small server that shows them', files: pick((path) => invoiceParts.includes(path)) },
    { message: 'Write down what customers ask for', files: pick((path) => path === 'ISSUES.md') },
  ];
}

/** Every file of the sample as it stands after its last commit. */
export const sampleFiles = (): Record<string, string> =>
  Object.assign({}, ...sampleCommits().map((commit) => commit.files)) as Record<string, string>;

export const SAMPLE_COMMITS: readonly SampleCommit[] = sampleCommits();
