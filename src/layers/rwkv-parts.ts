/** What the layers of RWKV-4, 6 and 7 share: bias-free projections, their initial values, sums over a head. */
import { GraphError } from '../errors.ts';
import { orthogonal, type Random } from '../init/index.ts';
import { dense, mul, reshape } from '../ops/index.ts';
import { sizeOf, type Initialiser, type Shape, type Signal, type Trace } from '../signal/index.ts';

/** Where a layer stands in its stack: the initial values follow it, and the first layer differs in its parameters. */
export interface RwkvPlace {
  /** 0 for the first layer, by default: `layer_id`, `layer_idx`. */
  readonly index?: number;
  /** Layers of the stack; 1 by default. */
  readonly layers?: number;
}

/** W x with `<name>.weight` (outputs × inputs), no bias. */
export const project = (
  trace: Trace,
  x: Signal,
  name: string,
  outputs: number,
  initialise: Initialiser<Random>,
): Signal => dense(x, trace.parameter(`${name}.weight`, [outputs, x.shape.at(-1)!], initialise));

/** Value of element i, where n elements are there. */
export const each =
  (value: (i: number, n: number) => number) =>
  (shape: Shape): Float64Array => {
    const n = sizeOf(shape);
    return Float64Array.from({ length: n }, (_, i) => value(i, n));
  };

/** torch `orthogonal_`. */
export const orthogonalBy =
  (gain = 1) =>
  (shape: Shape, random: Random): Float64Array =>
    orthogonal(new Float64Array(sizeOf(shape)), random, shape[0]!, shape[1]!, gain);

/** RWKV-LM's: a matrix with more rows than columns gets √(rows/columns) as a further gain. */
export const orthogonalByShape =
  (gain = 1) =>
  (shape: Shape, random: Random): Float64Array =>
    orthogonalBy(gain * Math.sqrt(Math.max(1, shape[0]! / shape[1]!)))(shape, random);

/**
 * (H·K) as (H × K).
 *
 * @throws GraphError where the heads do not divide the width.
 */
export function perHead(x: Signal, heads: number): Signal {
  if (!(Number.isSafeInteger(heads) && heads >= 1 && x.width % heads === 0)) {
    throw new GraphError(
      `${x.node.path} has ${x.width} channels, which do not divide into ${heads} heads; choose widths that are a ` +
        'whole number of heads',
    );
  }
  return reshape(x, [heads, x.width / heads]);
}

/** Σ a b over the last axis: (H × K), (H × K) → (H × 1). */
export function dotPerHead(a: Signal, b: Signal): Signal {
  const product = mul(a, b);
  const keys = product.shape.at(-1)!;
  return dense(product, a.trace.literal(new Float64Array(keys).fill(1), [1, keys]));
}
