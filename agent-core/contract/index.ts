/** The contract between the core and whoever looks at it. The only part of the core that the renderer imports. */
export * from './ids.ts';
export * from './errors.ts';
export * from './values.ts';
export * from './items.ts';
export * from './events.ts';
export * from './state.ts';
export * from './methods.ts';
export * from './wire.ts';
