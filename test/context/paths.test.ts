import { expect, test } from 'vitest';
import { bestPaths, pathScore } from '../../agent-core/domain/paths.ts';

const files = [
  'README.md',
  'src/components/user-card.tsx',
  'src/components/user-card.test.tsx',
  'src/server/http/router.ts',
  'src/server/http/routes/user.ts',
  'docs/routing.md',
  'sub dir/ü.txt',
];

test.each([
  ['router', 'src/server/http/router.ts'],
  ['uc', 'src/components/user-card.tsx'],
  ['usercard', 'src/components/user-card.tsx'],
  ['card.test', 'src/components/user-card.test.tsx'],
  ['http/user', 'src/server/http/routes/user.ts'],
  ['READ', 'README.md'],
  ['ü', 'sub dir/ü.txt'],
])('“%s” finds %s first', (query, path) => {
  expect(bestPaths(query, files, 3)[0]).toBe(path);
});

test('letters that are not there in this order find nothing; no letters give the shortest first', () => {
  expect(pathScore('zz', 'src/a.ts')).toBeNull();
  expect(pathScore('tsr', 'src/a.ts')).toBeNull();
  expect(bestPaths('', files, 2)).toEqual(['README.md', 'sub dir/ü.txt']);
});
