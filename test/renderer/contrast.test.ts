import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { colourBlindDiff, themes, type Token } from '../../renderer/theme/tokens.ts';

/** WCAG 2.2's relative luminance and contrast ratio. */
function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5]
    .map((at) => parseInt(hex.slice(at, at + 2), 16) / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}
const contrast = (a: string, b: string) => {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light! + 0.05) / (dark! + 0.05);
};

const grounds: Token[] = ['canvas', 'surface', 'raised', 'hover'];
const syntax: Token[] = ['syn-key', 'syn-str', 'syn-fn', 'syn-type'];
const texts: Token[] = ['text', 'muted', 'faint', 'accent', 'ok', 'warn', 'bad', 'waiting', ...syntax];

function tooFaint(colours: Record<string, string>, pairs: readonly (readonly [string, string, number])[]): string[] {
  return pairs
    .filter(([front, back, least]) => contrast(colours[front]!, colours[back]!) < least)
    .map(([front, back, least]) => `${front} on ${back}: ${contrast(colours[front]!, colours[back]!).toFixed(2)} < ${least}`);
}
const cross = (fronts: readonly string[], backs: readonly string[], least: number) =>
  fronts.flatMap((front) => backs.map((back) => [front, back, least] as const));

describe.each(['dark', 'light'] as const)('the %s theme', (name) => {
  const theme = themes[name];
  test('text meets 4.5:1, edges and rings 3:1', () => {
    expect(
      tooFaint(theme, [
        ...cross(texts, grounds, 4.5),
        ...cross(['edge', 'accent'], grounds, 3),
        ...cross(['on-accent'], ['accent-fill', 'bad-fill'], 4.5),
        ...cross(['waiting', 'text'], ['conflict'], 4.5),
      ]),
    ).toEqual([]);
  });
  test('the diff stays readable over its tints and word marks', () => {
    const diff = [
      ...cross(['text', 'muted', 'faint', ...syntax], ['diff-add', 'diff-del'], 4.5),
      ['ok', 'diff-add', 4.5] as const,
      ['bad', 'diff-del', 4.5] as const,
      ...cross(['text', 'muted', ...syntax], ['word-add', 'word-del'], 4.5),
    ];
    expect(tooFaint(theme, diff)).toEqual([]);
    const blind = { ...theme, ...colourBlindDiff[name] };
    expect(
      tooFaint(blind, [
        ...cross(['text', 'muted', 'faint', ...syntax], ['diff-add', 'diff-del'], 4.5),
        ...cross(['text', 'muted', ...syntax], ['word-add', 'word-del'], 4.5),
        ['added', 'diff-add', 4.5],
        ['removed', 'diff-del', 4.5],
        ...cross(['added', 'removed'], grounds, 4.5),
      ]),
    ).toEqual([]);
  });
});

test('the sheet says the same as the scripts', () => {
  const css = readFileSync(new URL('../../renderer/theme/tokens.css', import.meta.url), 'utf8');
  const [usual = '', blind = ''] = css.split('[data-diff="colour-blind"]');
  const read = (text: string) =>
    Object.fromEntries(
      [...text.matchAll(/--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)/g)].map(([, token, light, dark]) => [token, { light, dark }]),
    );
  const wanted = (from: Record<'light' | 'dark', Record<string, string>>) =>
    Object.fromEntries(Object.keys(from.dark).map((token) => [token, { light: from.light[token], dark: from.dark[token] }]));
  expect(read(usual)).toEqual(wanted(themes));
  expect(read(blind)).toEqual(wanted(colourBlindDiff));
});
