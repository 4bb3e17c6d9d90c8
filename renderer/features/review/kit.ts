export * from '../../ui/index.ts';
export { visible, visibleLine } from '../../ui/safe-text.ts';
