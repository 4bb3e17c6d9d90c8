import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { DiffFile } from '../../../agent-core/contract/index.ts';

const env = {
  ...process.env,
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_SYSTEM: '/dev/null',
  GIT_AUTHOR_NAME: 'a',
  GIT_AUTHOR_EMAIL: 'a@b',
  GIT_COMMITTER_NAME: 'a',
  GIT_COMMITTER_EMAIL: 'a@b',
};
const statuses: Record<string, DiffFile['status']> = { A: 'added', M: 'modified', D: 'deleted', R: 'renamed', T: 'typechange' };

export type Files = Record<string, string | Buffer | null>;

/** A real repository with two trees, and the two answers that git gives about them. */
export class DiffRepo {
  readonly folder = mkdtempSync(join(tmpdir(), 'signalbox-diff-'));
  from = '';
  to = '';

  constructor(before: Files, after: Files) {
    this.git('init', '-q');
    this.from = this.tree(before);
    this.to = this.tree(after);
  }

  git(...args: string[]): string {
    return execFileSync('git', args, { cwd: this.folder, env, encoding: 'utf8', maxBuffer: 1 << 28 });
  }

  tree(files: Files): string {
    for (const [path, content] of Object.entries(files)) {
      const at = join(this.folder, path);
      if (content === null) {
        rmSync(at);
        continue;
      }
      mkdirSync(dirname(at), { recursive: true });
      writeFileSync(at, content);
    }
    this.git('add', '-A');
    return this.git('write-tree').trim();
  }

  read(): { from: string; to: string; files: DiffFile[] } {
    const parts = this.git('diff-tree', '-r', '-z', '-M', '--raw', '--numstat', this.from, this.to).split('\0');
    const files = new Map<string, DiffFile>();
    for (let index = 0; index < parts.length - 1;) {
      const head = parts[index++] ?? '';
      if (head.startsWith(':')) {
        const [, , oldBlob = '', newBlob = '', status = 'M'] = head.split(' ');
        const oldPath = status.startsWith('R') ? (parts[index++] ?? '') : null;
        const path = parts[index++] ?? '';
        files.set(path, {
          path,
          oldPath,
          status: statuses[status[0] ?? 'M'] ?? 'modified',
          added: 0,
          removed: 0,
          binary: false,
          generated: path.endsWith('package-lock.json'),
          oldBlob,
          newBlob,
        });
      } else {
        const [added = '-', removed = '-', name = ''] = head.split('\t');
        const path = name === '' ? ((index += 2), parts[index - 1] ?? '') : name;
        const file = files.get(path);
        if (file)
          Object.assign(
            file,
            added === '-' ? { binary: true, added: null, removed: null } : { added: Number(added), removed: Number(removed) },
          );
      }
    }
    return { from: this.from, to: this.to, files: [...files.values()] };
  }

  patch(paths: string[], ignoreWhitespace = false): { patch: string; truncated: boolean } {
    return {
      patch: this.git('diff-tree', '-r', '-p', '-M', ...(ignoreWhitespace ? ['-w'] : []), this.from, this.to, '--', ...paths),
      truncated: false,
    };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
