import type { Arena, Walk, WalkNode } from '../backend.ts';
import { writerAt } from './call.ts';
import * as at from './layout.ts';
import type { WasmKernels } from './kernels.ts';

/** Bytes of a plan of so many nodes, which have so many inputs that vary. */
export const walkBytes = (nodes: number, inputs: number): number =>
  at.PLAN_BYTES + nodes * at.NODE_BYTES + inputs * (at.INPUT_BYTES + at.READER_BYTES);

/** Writes the plan of a walk to `base`. */
export function writeWalk(arena: Arena, base: number, nodes: readonly WalkNode[]): void {
  const put = writerAt(arena, base);
  const record = (node: number): number => at.PLAN_BYTES + node * at.NODE_BYTES;
  let next = record(nodes.length);
  put(at.PLAN_NODES, nodes.length);
  put(at.PLAN_RECORDS, base + record(0));
  nodes.forEach((node, index) => {
    const { timing, call, sources } = node;
    const field = (offset: number, value: number): void => put(record(index) + offset, value);
    field(at.NODE_KERNEL, timing === undefined ? at.KERNEL_NONE : (call?.kernel ?? at.KERNEL_HOST));
    field(at.NODE_DESCRIPTOR, call?.descriptor ?? 0);
    field(at.NODE_COUNTS, node.counts);
    field(at.NODE_MARKS, node.marks);
    field(at.NODE_BUFFER, node.buffer);
    field(at.NODE_FRAME, node.frame);
    field(at.NODE_CAPACITY, node.capacity);
    field(at.NODE_RIGHT, node.right);
    field(at.NODE_SOFT, node.soft);
    field(at.NODE_TRANSIENT, node.transient ? 1 : 0);
    field(at.NODE_STRIDE, timing?.stride ?? 1);
    field(at.NODE_EMIT, timing?.emit ?? 1);
    field(at.NODE_SURPLUS, timing?.surplus ?? 0);
    field(at.NODE_AT_END, timing?.atEnd === true ? 1 : 0);
    field(at.NODE_TIMES, call?.times ?? 1);
    field(at.NODE_MASK, (call?.period ?? 1) - 1);
    field(at.NODE_OUTPUT, call?.output ?? base + at.PLAN_SCRATCH);
    field(at.NODE_FIRST, call?.first ?? 0);
    field(at.NODE_INDEX, index);
    field(at.NODE_PLAIN, isPlain(nodes, node) ? 1 : 0);
    field(at.NODE_INPUTS, base + next);
    field(at.NODE_INPUT_COUNT, sources.length);
    for (const { node: source, input, window } of sources) {
      const word = call?.inputs.find((entry) => entry.input === input)?.field;
      put(next + at.INPUT_SOURCE, base + record(source));
      put(next + at.INPUT_SIZE, window.size);
      put(next + at.INPUT_LEFT, window.left);
      put(next + at.INPUT_RIGHT, window.right);
      put(next + at.INPUT_FIELD, word ?? base + at.PLAN_SCRATCH);
      next += at.INPUT_BYTES;
    }
  });
  nodes.forEach((_, index) => {
    put(record(index) + at.NODE_READERS, base + next);
    let count = 0;
    nodes.forEach(({ sources }, reader) => {
      for (const { node, window } of sources) {
        if (node !== index) continue;
        put(next + at.READER_NODE, base + record(reader));
        put(next + at.READER_SIZE, window.size);
        put(next + at.READER_LEFT, window.left);
        next += at.READER_BYTES;
        count++;
      }
    });
    put(record(index) + at.NODE_READER_COUNT, count);
  });
}

function isPlain(nodes: readonly WalkNode[], { timing, transient, sources }: WalkNode): boolean {
  return (
    timing?.stride === 1 &&
    timing.emit === 1 &&
    timing.atEnd !== true &&
    transient &&
    sources.every(
      ({ node, window: { size, left, right } }) =>
        nodes[node]!.transient && size === 1 && left === 0 && right === 0,
    )
  );
}

/** The walk over a plan that stands at `base`. */
export function walkOf(arena: Arena, kernels: WasmKernels, base: number, nodes: readonly WalkNode[]): Walk {
  // Exports are looked up by name in a table: not at every block.
  const { pass, straight } = kernels;
  return {
    pass: () => pass(base) !== 0,
    straight(input, output) {
      const record = (node: number): number => base + at.PLAN_BYTES + node * at.NODE_BYTES;
      const [from, to] = [record(input), record(output)];
      const isStraight = nodes.every(
        (node) => isPlain(nodes, node) || (node.timing === undefined && node.transient),
      );
      return isStraight ? (frames) => straight(base, from, to, frames) !== 0 : undefined;
    },
    settle(places) {
      places.forEach((buffer, index) => {
        const node = nodes[index]!;
        const put = writerAt(arena, base + at.PLAN_BYTES + index * at.NODE_BYTES);
        const isHome = buffer === node.buffer;
        put(at.NODE_BUFFER, buffer);
        put(at.NODE_TRANSIENT, node.transient && isHome ? 1 : 0);
        put(at.NODE_PLAIN, isHome && isPlain(nodes, node) ? 1 : 0);
      });
    },
  };
}
