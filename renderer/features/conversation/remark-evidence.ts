import type { EvidenceMark } from '../../../agent-core/contract/index.ts';

/** As much of a markdown tree as is needed here. */
interface Node {
  type: string;
  value?: string;
  children?: Node[];
  position?: { start: { offset?: number }; end: { offset?: number } };
  data?: { hName: string; hProperties: Record<string, string> };
}

/** A mark with its place in the block that is parsed, and its number among the message's. */
export interface PlacedMark {
  at: number;
  end: number;
  index: number;
  kind: EvidenceMark['kind'];
}

const wrap = (index: number, children: Node[]): Node => ({
  type: 'evidence',
  children,
  data: { hName: 'span', hProperties: { 'data-evidence': String(index) } },
});
const text = (value: string): Node[] => (value ? [{ type: 'text', value }] : []);

/** The parts of a text node with its marks in their places: a file's words are wrapped, a command's number gives way, a claim is followed. */
function split(node: Node, start: number, marks: readonly PlacedMark[]): Node[] {
  const value = node.value ?? '';
  const parts: Node[] = [];
  let from = 0;
  for (const { at, end, index, kind } of marks) {
    const [begin, stop] = [Math.max(from, at - start), Math.min(value.length, end - start)];
    if (stop < begin) continue;
    parts.push(...text(value.slice(from, kind === 'claim' ? stop : begin)));
    parts.push(wrap(index, kind === 'file' ? text(value.slice(begin, stop)) : []));
    from = stop;
  }
  return [...parts, ...text(value.slice(from))];
}

function place(node: Node, marks: readonly PlacedMark[]): Node[] {
  const [start, end] = [node.position?.start.offset ?? 0, node.position?.end.offset ?? 0];
  const mine = marks.filter(({ at, end: stop }) => stop > start && at < end);
  if (!mine.length) return [node];
  // Escapes make the source longer than what it says: then the marks stand behind it.
  if (node.type === 'text')
    return (node.value ?? '').length === end - start ? split(node, start, mine) : [node, ...mine.map(({ index }) => wrap(index, []))];
  if (!node.children) {
    const [first, ...more] = mine;
    return first!.kind === 'file'
      ? [wrap(first!.index, [node]), ...more.map(({ index }) => wrap(index, []))]
      : [node, ...mine.map(({ index }) => wrap(index, []))];
  }
  const held = (mark: PlacedMark): boolean =>
    node.children!.some(({ position }) => mark.end > (position?.start.offset ?? 0) && mark.at < (position?.end.offset ?? 0));
  // A link says the place in its address.
  const file = node.type === 'link' ? mine.find((mark) => mark.kind === 'file' && !held(mark)) : undefined;
  if (file) return [wrap(file.index, node.children)];
  return [{ ...node, children: node.children.flatMap((child) => place(child, mine)) }];
}

/** Puts a message's evidence into its markdown. Each mark becomes a span that says its number in `data-evidence`. */
export function remarkEvidence({ marks }: { marks: readonly PlacedMark[] }) {
  return (tree: Node): void => {
    if (marks.length) tree.children = tree.children?.flatMap((child) => place(child, marks));
  };
}
