import { mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ATTACHMENT_LIMIT, attachmentPath, attachmentsIn, Failure } from '../contract/index.ts';
import { newId } from '../support/ids.ts';

/** A name that can stand in a sentence and in a shell as it is. */
function safeName(name: string): string {
  const plain = name
    .normalize('NFC')
    .replaceAll(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[.-]+/, '')
    .replace(/[.-]+$/, '');
  return plain.length > 100 ? `${plain.slice(0, 60)}-${plain.slice(-39)}` : plain || 'file';
}

/** Keeps a file that a person pasted or dropped; returns how a message names it. On disk when it resolves. Throws `invalid-input`. */
export async function keepAttachment(home: string, name: string, data: string): Promise<string> {
  const bytes = Buffer.from(data, 'base64');
  if (!bytes.length) throw new Failure('invalid-input', `“${name}” is empty, so it was not attached.`);
  if (bytes.length > ATTACHMENT_LIMIT)
    throw new Failure('invalid-input', `“${name}” has ${Math.ceil(bytes.length / 1024 / 1024)} MiB; at most 20 MiB can be attached.`, {
      fix: 'Put it into the repository, or attach a part of it.',
    });
  const id = newId<string>('file');
  const kept = safeName(name);
  const folder = join(home, 'attachments', id);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const file = await open(join(folder, kept), 'wx', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  return attachmentPath(id, kept);
}

/** The bytes of an attached file, in base64. Throws `not-found`. */
export async function readAttachment(home: string, path: string): Promise<string> {
  const [found] = attachmentsIn(path);
  const bytes = found && (await readFile(join(home, 'attachments', found.id, found.name)).catch(() => null));
  if (!bytes) throw new Failure('not-found', 'This file is not attached any more.');
  return bytes.toString('base64');
}
