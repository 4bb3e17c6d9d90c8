import { ATTACHMENT_LIMIT, Failure } from '../../agent-core/contract/index.ts';
import { rpc } from './store.ts';

/** A file's bytes as base64, without blocking the page for a large one. */
const base64Of = (file: File): Promise<string> =>
  new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onerror = () => reject(new Failure('invalid-input', `“${file.name}” could not be read.`));
    reader.onload = () => {
      const url = String(reader.result);
      resolve(url.slice(url.indexOf(',') + 1));
    };
    reader.readAsDataURL(file);
  });

/** Gives files to the core; returns what stands for them in a message. Throws `Failure`. */
export async function attachFiles(files: readonly File[]): Promise<string> {
  const named: string[] = [];
  for (const file of files) {
    if (file.size > ATTACHMENT_LIMIT)
      throw new Failure('invalid-input', `“${file.name}” is larger than 20 MiB, so it was not attached.`, {
        fix: 'Put it into the repository, or attach a part of it.',
      });
    const { path } = await rpc().call('attachment/add', { name: file.name || 'pasted.png', data: await base64Of(file) });
    named.push(`@${path}`);
  }
  return `${named.join(' ')} `;
}
