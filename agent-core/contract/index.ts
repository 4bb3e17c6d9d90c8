/** The contract between the core and whoever looks at it. The only part of the core that the renderer imports. */
export * from './ids.ts';
export * from './errors.ts';
export * from './values.ts';
export * from './grants.ts';
export * from './plan.ts';
export * from './recipe.ts';
export * from './evidence.ts';
export * from './gates.ts';
export * from './catalogue.ts';
export * from './settings.ts';
export * from './items.ts';
export * from './usage.ts';
export * from './events.ts';
export * from './state.ts';
export * from './project.ts';
export * from './methods/index.ts';
export * from './wire.ts';
