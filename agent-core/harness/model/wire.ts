import type { ModelConfig } from '../types.ts';
import { chatWire } from './chat.ts';
import { withHelp } from './help.ts';
import type { ModelPort } from './port.ts';
import { responsesWire } from './responses.ts';

/** The wire that the configuration names. One attempt a request; what it throws tells when the other wire is the one to use. */
export const wireOf = (config: ModelConfig, idle: number): ModelPort =>
  withHelp(config.wire === 'chat' ? chatWire(config, idle) : responsesWire(config, idle), config);
