/**
 * Sums over all frames of all items, in a tree: neighbouring frames first, in float32 without losing more than a few
 * units in the last place.
 */
import type { Plan } from './plan.ts';
import { Z, type Tensor } from './tensor.ts';

/** Numbers that a thread adds up in a row. */
const RUN = 64;

export interface RowSum {
  readonly label: string;
  /** Numbers of the sum. */
  readonly width: number;
  readonly frames: number;
  readonly items: number;
  readonly inputs: Readonly<Record<string, Tensor>>;
  readonly scalars?: Readonly<Record<string, number>>;
  /**
   * Text of what a frame adds; the thread's element is `this.thread.x`. The frame's own text is of whole numbers: gpu.js
   * keeps every named value as a float, and turning floats to places costs more than the sum.
   */
  readonly term: (frame: string, item: string) => string;
  /** Statements before the first term, for what does not change from frame to frame. */
  readonly before?: string;
}

/** Σ over frames and items of a term: a constant of `width` numbers. */
export function sumRows(
  plan: Plan,
  { label, width, frames, items, inputs, scalars, term, before = '' }: RowSum,
): Tensor {
  const run = Math.min(frames, RUN);
  const blocks = Math.ceil(frames / run);
  const ragged = blocks * run !== frames;
  const frame = `(this.thread.y * ${run} + i)`;
  const add = `sum += ${term(frame, Z)};`;
  const partial = plan.run({
    label,
    dims: [width, blocks, items],
    inputs,
    ...(scalars ? { scalars } : {}),
    body: `${before}let sum = 0;
for (let i = 0; i < ${run}; i++) {
  ${ragged ? `if (${frame} < ${frames}) { ${add} }` : add}
}
return sum;`,
  });
  return sumBlocks(plan, label, partial);
}

/** Σ over the second and third axis. */
export function sumBlocks(plan: Plan, label: string, partial: Tensor): Tensor {
  let [width, blocks, items] = partial.dims as readonly [number, number, number];
  let rest = partial;
  while (blocks > RUN) {
    const fewer = Math.ceil(blocks / RUN);
    rest = plan.run({
      label,
      dims: [width, fewer, items],
      inputs: { part: rest },
      body: `let sum = 0;
for (let i = 0; i < ${RUN}; i++) {
  const block = this.thread.y * ${RUN} + i;
  if (block < ${blocks}) { sum += part[this.thread.z][block][this.thread.x]; }
}
return sum;`,
    });
    blocks = fewer;
  }
  return plan.run({
    label,
    dims: [width],
    inputs: { part: rest },
    body: `let sum = 0;
for (let item = 0; item < ${items}; item++) {
  let own = 0;
  for (let i = 0; i < ${blocks}; i++) { own += part[item][i][this.thread.x]; }
  sum += own;
}
return sum;`,
  });
}

/** Σ over the third axis: a constant of all the numbers of the first two, the first varying fastest. */
export function sumSlices(plan: Plan, label: string, partial: Tensor): Tensor {
  const [columns, rows, slices] = partial.dims as readonly [number, number, number];
  let [rest, left] = [partial, slices];
  while (left > RUN) {
    const fewer = Math.ceil(left / RUN);
    rest = plan.run({
      label,
      dims: [columns, rows, fewer],
      inputs: { part: rest },
      body: `let sum = 0;
for (let i = 0; i < ${RUN}; i++) {
  const slice = this.thread.z * ${RUN} + i;
  if (slice < ${left}) { sum += part[slice][this.thread.y][this.thread.x]; }
}
return sum;`,
    });
    left = fewer;
  }
  return plan.run({
    label,
    dims: [columns * rows],
    inputs: { part: rest },
    body: `const row = Math.floor((this.thread.x + 0.5) / ${columns});
const column = this.thread.x - row * ${columns};
let sum = 0;
for (let i = 0; i < ${left}; i++) { sum += part[i][row][column]; }
return sum;`,
  });
}
