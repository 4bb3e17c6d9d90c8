import { expect, test } from 'vitest';
import { machineIn, shell } from './machine.ts';
import { ordinary } from './outside.ts';

test('smoke', async () => {
  const net = await ordinary();
  const machine = await machineIn(net, { allow: ['allowed.example'] });
  expect(1).toBe(1);
});
