import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { z } from 'zod';
import type { ItemOf } from '../../contract/index.ts';
import { attachedFile } from '../context/attachments.ts';
import { parseArgs } from './exec.ts';
import { Rejected, type Tool } from './types.ts';

const MAX_BYTES = 8 * 1024 * 1024;
const MAX_PIXELS = 40_000_000;

interface Picture {
  type: string;
  width: number;
  height: number;
}

/** Type and size from the first bytes; null for what models don't take. */
export function sniffImage(bytes: Buffer): Picture | null {
  if (bytes.length < 30) return null;
  if (bytes.readUInt32BE(0) === 0x89504e47) return { type: 'image/png', width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
  if (bytes.toString('latin1', 0, 4) === 'GIF8') return { type: 'image/gif', width: bytes.readUInt16LE(6), height: bytes.readUInt16LE(8) };
  if (bytes.toString('latin1', 0, 4) === 'RIFF' && bytes.toString('latin1', 8, 12) === 'WEBP')
    return { type: 'image/webp', ...webpSize(bytes) };
  if (bytes.readUInt16BE(0) === 0xffd8) return { type: 'image/jpeg', ...jpegSize(bytes) };
  return null;
}

function webpSize(bytes: Buffer): { width: number; height: number } {
  const kind = bytes.toString('latin1', 12, 16);
  if (kind === 'VP8X') return { width: bytes.readUIntLE(24, 3) + 1, height: bytes.readUIntLE(27, 3) + 1 };
  if (kind === 'VP8L') {
    const bits = bytes.readUInt32LE(21);
    return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
  }
  return { width: bytes.readUInt16LE(26) & 0x3fff, height: bytes.readUInt16LE(28) & 0x3fff };
}

/** Walks the segments to the frame header; 0 × 0 when there is none. */
function jpegSize(bytes: Buffer): { width: number; height: number } {
  for (let at = 2; at + 9 < bytes.length && bytes[at] === 0xff;) {
    const marker = bytes[at + 1]!;
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker))
      return { height: bytes.readUInt16BE(at + 5), width: bytes.readUInt16BE(at + 7) };
    at += 2 + bytes.readUInt16BE(at + 2);
  }
  return { width: 0, height: 0 };
}

export const viewImage: Tool = {
  name: 'view_image',
  parallel: true,
  spec: () => ({
    type: 'function',
    name: 'view_image',
    strict: false,
    description: 'Looks at an image file of the worktree (PNG, JPEG, GIF or WebP).',
    parameters: {
      type: 'object',
      properties: { path: { type: 'string', description: 'Path of the file.' } },
      required: ['path'],
      additionalProperties: false,
    },
  }),
  async run(args, call) {
    const { path } = parseArgs(z.object({ path: z.string() }), 'view_image', args);
    const item: ItemOf<'toolCall'> = {
      ...call.item('toolCall'),
      name: 'view_image',
      arguments: JSON.stringify({ path }),
      status: 'running',
      output: '',
    };
    await call.begin(item);
    const attached = attachedFile(path, call.input.home);
    const reading = attached ? readFile(attached) : call.input.machine.files.read(resolve(call.input.cwd, path), MAX_BYTES + 1);
    const bytes = await reading.catch((thrown: unknown) => {
      throw new Rejected(`unable to view ${path}: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
    });
    const picture = sniffImage(bytes);
    if (!picture) throw new Rejected(`unable to view ${path}: it is no PNG, JPEG, GIF or WebP image`);
    if (bytes.length > MAX_BYTES || picture.width * picture.height > MAX_PIXELS) {
      throw new Rejected(
        `unable to view ${path}: it is too large (${picture.width}×${picture.height} pixels; at most 8 MiB and 40 megapixels). Make a smaller copy first`,
      );
    }
    call.end({ ...item, endedAt: Date.now(), status: 'completed', output: `${picture.type}, ${picture.width}×${picture.height}` });
    return [{ type: 'input_image', image_url: `data:${picture.type};base64,${bytes.toString('base64')}`, detail: 'auto' }];
  },
};
