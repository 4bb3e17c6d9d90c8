/** At most this many bytes of one attached file. */
export const ATTACHMENT_LIMIT = 20 * 1024 * 1024;

/**
 * Where an attached file is seen inside a sandbox, and how a message names it. Its parts hold no character that would end
 * the path in a sentence, and no `..`.
 */
export const ATTACHMENT_PATH = /\/run\/attachments\/(file_[0-9a-z]{10,40})\/([A-Za-z0-9_-][A-Za-z0-9._-]{0,119})/g;

export const attachmentPath = (id: string, name: string): string => `/run/attachments/${id}/${name}`;

/** The attached files that a text names. */
export const attachmentsIn = (text: string): { path: string; id: string; name: string }[] =>
  [...text.matchAll(ATTACHMENT_PATH)].map(([path, id, name]) => ({ path, id: id!, name: name!.replace(/[.]+$/, '') }));
