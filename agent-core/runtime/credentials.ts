import { validateHeaderName, validateHeaderValue } from 'node:http';
import { Failure, noGrants, type Credential, type ParsedInputOf, type ProjectId } from '../contract/index.ts';
import { parsePattern, spelt } from '../sandbox/index.ts';
import { newId } from '../support/ids.ts';
import { getProject, type Context } from './context.ts';
import { addGrants } from './grants.ts';

/** Belong to the connection or say where a request goes: no credential is in them. */
const RESERVED = new Set([
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'upgrade',
  'te',
  'trailer',
  'keep-alive',
  'proxy-authorization',
  'expect',
]);
const HTTPS = 443;

const place = (projectId: ProjectId, id: string): string => `network/${projectId}/${id}`;
const valueOf = ({ kind, user }: Credential, secret: string): string =>
  kind === 'bearer' ? `Bearer ${secret}` : kind === 'basic' ? `Basic ${Buffer.from(`${user}:${secret}`).toString('base64')}` : secret;

/** Credentials that the proxy adds, by host. The secrets are in the key store, and asked for at each request. */
export async function saveCredential(context: Context, input: ParsedInputOf<'credential/save'>): Promise<Credential> {
  const project = getProject(context, input.projectId);
  const pattern = parsePattern(input.host.trim());
  const host = spelt({ ...pattern, port: pattern.port ?? HTTPS });
  const header = input.kind === 'header' ? input.header.trim() : 'Authorization';
  const grants = project.grants ?? noGrants;
  const others = grants.credentials ?? [];
  const before = others.find((one) => one.host === host && one.header.toLowerCase() === header.toLowerCase());
  const user = input.kind === 'basic' ? input.user : '';
  const credential: Credential = { id: before?.id ?? newId<string>('cred'), host, kind: input.kind, header, user };
  checkHeader(credential, input.secret);
  await context.secrets.set(place(project.id, credential.id), input.secret);
  const credentials = [...others.filter(({ id }) => id !== credential.id), credential];
  await grant(context, project.id, { ...addGrants(grants, { hosts: [host] }), credentials });
  return credential;
}

/** Throws `Failure('invalid-input')`, which doesn't say the secret. */
function checkHeader(credential: Credential, secret: string): void {
  const bad = (why: string): never => {
    throw new Failure('invalid-input', why);
  };
  try {
    validateHeaderName(credential.header);
  } catch {
    bad(`“${credential.header}” can’t be the name of a header.`);
  }
  if (RESERVED.has(credential.header.toLowerCase()))
    bad(`The header ${credential.header} says where a request goes; it can’t carry a secret.`);
  if (credential.kind === 'basic' && credential.user.includes(':')) bad('A user name has no colon in it.');
  try {
    validateHeaderValue(credential.header, valueOf(credential, secret));
  } catch {
    bad('The secret has a line break or another character that no header can carry.');
  }
}

export async function removeCredential(context: Context, projectId: ProjectId, id: string): Promise<void> {
  const grants = getProject(context, projectId).grants ?? noGrants;
  await grant(context, projectId, { ...grants, credentials: (grants.credentials ?? []).filter((one) => one.id !== id) });
  await context.secrets.set(place(projectId, id), '');
}

async function grant(context: Context, projectId: ProjectId, grants: Parameters<typeof addGrants>[0]): Promise<void> {
  await context.store.commit({ events: [{ type: 'project.granted', projectId, grants }] });
  await context.network.apply((task) => task.projectId === projectId);
}

/** The header of a credential that a project has now; null when it was taken back. */
export function headerOf(context: Context, id: string): { name: string; value: string } | null {
  for (const project of Object.values(context.store.board.projects)) {
    const credential = project.grants?.credentials?.find((one) => one.id === id);
    const secret = credential ? context.secrets.get(place(project.id, id)) : '';
    if (credential && secret) return { name: credential.header, value: valueOf(credential, secret) };
  }
  return null;
}

/** Of a project that was closed nothing is kept. */
export async function forgetCredentials(context: Context, projectId: ProjectId): Promise<void> {
  await context.secrets
    .forget(`network/${projectId}/`)
    .catch((error: unknown) => context.log('forgetting the credentials of a project', error));
}
