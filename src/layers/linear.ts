import { torchDefault, type Random } from '../init/index.ts';
import { dense, mul, select, sigmoid, split } from '../ops/index.ts';
import type { Signal, Trace } from '../signal/index.ts';

export interface LinearOptions {
  /** Prefix of `weight` and `bias`. */
  readonly name: string;
  readonly outputs: number;
  /** A trailing axis of 1, as a 1×1 convolution's weight has in PyTorch. */
  readonly pointwiseConvolution?: boolean;
  /** True unless said otherwise. */
  readonly bias?: boolean;
}

/** W x + b with parameters `<name>.weight` (outputs × inputs) and `<name>.bias`, initialised as torch does. */
export function linear(
  trace: Trace,
  x: Signal,
  { name, outputs, pointwiseConvolution = false, bias = true }: LinearOptions,
): Signal {
  const inputs = x.shape.at(-1)!;
  const uniform = (shape: readonly number[], random: Random): Float64Array =>
    torchDefault(new Float64Array(shape.reduce((a, b) => a * b, 1)), random, inputs);
  const weight = pointwiseConvolution
    ? select(trace.parameter(`${name}.weight`, [outputs, inputs, 1], uniform), 0)
    : trace.parameter(`${name}.weight`, [outputs, inputs], uniform);
  return dense(x, weight, bias ? trace.parameter(`${name}.bias`, [outputs], uniform) : undefined);
}

/** a · σ(b) of the two halves of the last axis: the gated linear unit (torch `GLU`). */
export function glu(x: Signal): Signal {
  const half = x.shape.at(-1)! / 2;
  const [value, gate] = split(x, [half, half]);
  return mul(value!, sigmoid(gate!));
}
