/**
 * Text that finds, for an element of an output, the element of an input that it comes from, and the reverse. Most
 * gathers and all broadcasts are regular; what is not is looked up in a table.
 */
import type { Plan } from '../plan.ts';
import type { Tensor } from '../tensor.ts';

export interface IndexMap {
  /** Text of the input's index from the output's; both whole numbers. */
  readonly text: (index: string) => string;
  /** Tables that the text reads, by name. */
  readonly tables: Readonly<Record<string, Tensor>>;
}

/** The map from output to input that `index` lists. */
export function indexMap(plan: Plan, index: Int32Array, table: string): IndexMap {
  const plainly = (text: (i: string) => string): IndexMap => ({ text, tables: {} });
  const first = index[0] ?? 0;
  if (index.every((at, i) => at === first + i)) return plainly((i) => plus(i, first));
  if (index.every((at) => at === first)) return plainly(() => `${first}`);
  const period = periodOf(index);
  if (period !== undefined) {
    return plainly((i) => `${i} - ${period} * Math.floor((${i} + 0.5) / ${period})`);
  }
  const run = index.findIndex((at) => at !== first);
  if (first === 0 && index.every((at, i) => at === Math.floor(i / run))) {
    return plainly((i) => `Math.floor((${i} + 0.5) / ${run})`);
  }
  return { text: (i) => `${table}[${i}]`, tables: { [table]: plan.literal(index) } };
}

/** The m of index[i] = i mod m, where it is that. */
function periodOf(index: Int32Array): number | undefined {
  const again = index.indexOf(0, 1);
  return again > 0 && index.every((at, i) => at === i % again) ? again : undefined;
}

const plus = (i: string, by: number): string => (by === 0 ? i : `${i} + ${by}`);

/** The outputs that read each input, as many for every one of them: element k of input j's is `text(j, k)`. */
export interface InverseMap {
  readonly count: number;
  readonly text: (index: string, k: string) => string;
  readonly tables: Readonly<Record<string, Tensor>>;
}

/**
 * The reverse of a map onto `size` inputs; -1 stands for no output where an input has fewer readers than others.
 */
export function inverseMap(plan: Plan, index: Int32Array, size: number, table: string): InverseMap {
  const readers: number[][] = Array.from({ length: size }, () => []);
  index.forEach((at, i) => {
    if (at >= 0) readers[at]!.push(i);
  });
  const count = readers.reduce((most, { length }) => Math.max(most, length), 0);
  const regular = (of: (j: number, k: number) => number): boolean =>
    readers.every((list, j) => list.length === count && list.every((i, k) => i === of(j, k)));
  const plainly = (text: (j: string, k: string) => string): InverseMap => ({ count, text, tables: {} });
  if (regular((j) => j)) return plainly((j) => j);
  if (regular((j, k) => j + k * size)) return plainly((j, k) => `${j} + ${k} * ${size}`);
  if (regular((j, k) => j * count + k)) return plainly((j, k) => `${j} * ${count} + ${k}`);
  const list = new Float32Array(size * count).fill(-1);
  readers.forEach((own, j) => own.forEach((i, k) => (list[j * count + k] = i)));
  return {
    count,
    text: (j, k) => `${table}[${j} * ${count} + ${k}]`,
    tables: { [table]: plan.literal(list) },
  };
}
