import { existsSync, readFileSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * The versions in the `[tools]` table of mise's own configuration, by tool. Only that table is read: its `[env]` may hold
 * secrets, which is why the file itself is not shown.
 */
export function miseTools(config: string): [tool: string, version: string][] {
  const found: [string, string][] = [];
  let table = '';
  for (const line of config.split('\n').map((text) => text.replace(/(^|\s)#.*$/, '').trim())) {
    const head = /^\[([^\]]+)\]$/.exec(line);
    if (head) table = head[1]!.trim();
    const entry = table === 'tools' ? /^"?([^"=]+?)"?\s*=\s*(.+)$/.exec(line) : null;
    const version = entry && /"([^"]+)"/.exec(entry[2]!.replace(/^\{.*?version\s*=/, ''));
    if (entry && version) found.push([entry[1]!, version[1]!]);
  }
  return found;
}

/** mise names a tool's folder without what stands before a colon or slash. */
const folderOf = (tool: string): string => tool.replaceAll(/[:/]/g, '-');

/**
 * The folders that mise's shims on PATH lead to by the person's global configuration. Inside, a shim finds no
 * configuration: so the programs stand on PATH themselves.
 */
export function misePlaces(env: Record<string, string>, home: string): string[] {
  const data = env['MISE_DATA_DIR'] ?? join(home, '.local/share/mise');
  if (!(env['PATH'] ?? '').split(delimiter).includes(join(data, 'shims'))) return [];
  const file = join(home, '.config/mise/config.toml');
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) return [];
  return miseTools(readFileSync(file, 'utf8')).flatMap(([tool, version]) => {
    const folder = join(data, 'installs', folderOf(tool), version);
    return [join(folder, 'bin'), folder].filter((path) => existsSync(path)).slice(0, 1);
  });
}
