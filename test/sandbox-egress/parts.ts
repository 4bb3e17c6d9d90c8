export { parsePattern } from '../../agent-core/sandbox/egress/patterns.ts';
export { Proxy } from '../../agent-core/sandbox/egress/proxy.ts';
