import { noGrants, type Grants } from '../contract/index.ts';
import { parsePattern, parseService, spelt } from '../sandbox/index.ts';

/** More than this in one list is no list that a person has made. */
const MOST = 500;

const unique = (list: string[]): string[] => [...new Set(list)].slice(0, MOST);

/** All of several grants, the first ones first. */
export const joinGrants = (...grants: (Grants | undefined)[]): Grants =>
  grants.reduce<Grants>((all, one) => (one ? addGrants(all, one) : all), noGrants);

export const addGrants = (grants: Grants, more: Partial<Grants>): Grants => ({
  ...grants,
  hosts: unique([...grants.hosts, ...(more.hosts ?? [])]),
  services: unique([...grants.services, ...(more.services ?? [])]),
});

export const removeGrants = (grants: Grants, less: Partial<Grants>): Grants => ({
  ...grants,
  hosts: grants.hosts.filter((pattern) => !less.hosts?.includes(pattern)),
  services: grants.services.filter((pattern) => !less.services?.includes(pattern)),
});

/**
 * Patterns as a person wrote them, checked and in their one spelling. Throws `Failure('invalid-input')` for one that is
 * none or would open everything.
 */
export const readGrants = ({ hosts = [], services = [] }: Partial<Grants>): Grants => ({
  hosts: hosts.map((text) => spelt(parsePattern(text.trim()))),
  services: services.map((text) => spelt(parseService(text.trim()))),
});
