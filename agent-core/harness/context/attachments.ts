import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { attachmentPath, attachmentsIn } from '../../contract/index.ts';
import type { Bind } from '../../sandbox/types.ts';
import { sniffImage } from '../tools/image.ts';

/** A picture of more bytes is not shown by itself; the model may look at it with view_image. */
const SHOWN_BYTES = 5 * 1024 * 1024;

const folderOf = (home: string, id: string): string => join(home, 'attachments', id);

/** An attached file on the host, when a path names one; null otherwise. */
export function attachedFile(path: string, home: string | undefined): string | null {
  const [found] = attachmentsIn(path);
  return found && home && attachmentPath(found.id, found.name) === path ? join(folderOf(home, found.id), found.name) : null;
}

/** What commands must see of the files that these texts name. Only those are seen: attachments of other tasks stay apart. */
export function attachmentBinds(texts: readonly string[], home: string | undefined): Bind[] {
  if (!home) return [];
  const ids = new Set(texts.flatMap((text) => attachmentsIn(text).map(({ id }) => id)));
  return [...ids]
    .filter((id) => existsSync(folderOf(home, id)))
    .map((id) => ({ source: folderOf(home, id), target: `/run/attachments/${id}`, access: 'read' }));
}

/** What is said about attached files where commands run without a sandbox, and so without the place that messages name. */
export const whereAttached = (text: string, { mode, home }: { mode: string; home?: string }): { type: 'input_text'; text: string }[] =>
  mode === 'full' && home && attachmentsIn(text).length
    ? [{ type: 'input_text', text: `(In this mode /run/attachments is ${join(home, 'attachments')}.)` }]
    : [];

/** The pictures that a message names, for the model to see at once. */
export async function picturesOf(
  text: string,
  home: string | undefined,
): Promise<{ type: 'input_image'; image_url: string; detail: 'auto' }[]> {
  if (!home) return [];
  const read = attachmentsIn(text).map(async ({ id, name }) => {
    const bytes = await readFile(join(folderOf(home, id), name)).catch(() => null);
    const picture = bytes && bytes.length <= SHOWN_BYTES ? sniffImage(bytes) : null;
    if (!bytes || !picture) return [];
    return [
      { type: 'input_image' as const, image_url: `data:${picture.type};base64,${bytes.toString('base64')}`, detail: 'auto' as const },
    ];
  });
  return (await Promise.all(read)).flat();
}
