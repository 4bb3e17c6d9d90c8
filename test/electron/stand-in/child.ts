import { EventEmitter } from 'node:events';
import { pair, type Port } from './ports.ts';
import type { Wire } from './utility.ts';

/** Loaded before a utility process's own code: gives it `process.parentPort`, over Node's IPC. */
const ports = new Map<number, Port>();
const send = (message: Wire): void => void (process.connected && process.send?.(message));

class ParentPort extends EventEmitter {
  postMessage(data: unknown): void {
    send({ kind: 'message', data, ports: [] });
  }
}
const parentPort = new ParentPort();

function arrive(id: number): Port {
  const { port1, port2 } = pair();
  ports.set(id, port1);
  port1.on('message', ({ data }: { data: unknown }) => send({ kind: 'port', id, data }));
  port1.on('close', () => send({ kind: 'close', id }));
  port1.start();
  return port2;
}

process.on('message', (message: Wire) => {
  if (message.kind === 'message') parentPort.emit('message', { data: message.data, ports: message.ports.map(arrive) });
  else if (message.kind === 'port') ports.get(message.id)?.postMessage(message.data);
  else ports.get(message.id)?.close();
});
process.on('disconnect', () => process.exit(1));

Object.defineProperty(process, 'parentPort', { value: parentPort });
