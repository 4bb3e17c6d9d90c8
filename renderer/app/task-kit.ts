export * from '../ui/index.ts';
export { visibleLine as visibleTitle } from '../ui/safe-text.ts';
