import type { Signal } from '../signal/index.ts';
import { defineOp, sizeOf } from '../signal/index.ts';
import * as scalar from '../math/scalar.ts';

/** A function of one number, with its derivative; `y` is the function's value at `x`. */
interface Pointwise {
  readonly value: (x: number) => number;
  readonly derivative: (x: number, y: number) => number;
}

/** y = f(x), element by element, on signals and on constants. */
function pointwise(name: string, { value, derivative }: Pointwise): (x: Signal) => Signal {
  const op = defineOp<null>({
    name,
    shape: (_attributes, [x]) => x!.shape,
    step({ types, inputs, output }) {
      const x = inputs[0]!;
      const width = sizeOf(types[0]!.shape);
      for (let i = 0; i < width; i++) output.data[output.at + i] = value(x.data[x.at + i]!);
    },
    adjoint({ inputs, output, dOutput, dInputs, firings }) {
      const x = inputs[0]!;
      const dx = dInputs[0];
      if (!dx) return;
      for (let i = 0; i < firings * x.width; i++) {
        const slope = derivative(x.data[x.origin + i]!, output.data[output.origin + i]!);
        dx.data[dx.origin + i]! += dOutput.data[dOutput.origin + i]! * slope;
      }
    },
  });
  return (x) => x.trace.apply(op, null, [x]);
}

export const neg = pointwise('neg', { value: (x) => -x, derivative: () => -1 });
export const abs = pointwise('abs', { value: Math.abs, derivative: (x) => Math.sign(x) });
export const square = pointwise('square', { value: (x) => x * x, derivative: (x) => 2 * x });
export const sqrt = pointwise('sqrt', { value: Math.sqrt, derivative: (_x, y) => 0.5 / y });
export const reciprocal = pointwise('reciprocal', { value: (x) => 1 / x, derivative: (_x, y) => -y * y });
export const exp = pointwise('exp', { value: Math.exp, derivative: (_x, y) => y });
export const log = pointwise('log', { value: Math.log, derivative: (x) => 1 / x });
export const sin = pointwise('sin', { value: Math.sin, derivative: (x) => Math.cos(x) });
export const cos = pointwise('cos', { value: Math.cos, derivative: (x) => -Math.sin(x) });
export const tanh = pointwise('tanh', { value: Math.tanh, derivative: (_x, y) => 1 - y * y });
export const relu = pointwise('relu', { value: (x) => Math.max(x, 0), derivative: (x) => (x > 0 ? 1 : 0) });

/** 1 / (1 + e⁻ˣ). */
export const sigmoid = pointwise('sigmoid', { value: scalar.sigmoid, derivative: (_x, y) => y * (1 - y) });

/** ln(1 + eˣ), exact for large and for very negative arguments. */
export const softplus = pointwise('softplus', {
  value: scalar.softplus,
  derivative: (x) => scalar.sigmoid(x),
});

/** x·σ(x), also called swish. */
export const silu = pointwise('silu', {
  value: (x) => x * scalar.sigmoid(x),
  derivative: (x) => scalar.sigmoid(x) * (1 + x * (1 - scalar.sigmoid(x))),
});

/** x·Φ(x) with the exact error function (PyTorch's `approximate='none'`). */
export const gelu = pointwise('gelu', {
  value: (x) => x * scalar.normalCdf(x),
  derivative: (x) => scalar.normalCdf(x) + x * scalar.normalPdf(x),
});

const GELU_SCALE = Math.sqrt(2 / Math.PI);
const geluInner = (x: number): number => GELU_SCALE * (x + 0.044715 * x * x * x);

/** The tanh approximation of `gelu` (PyTorch's `approximate='tanh'`). */
export const geluTanh = pointwise('gelu-tanh', {
  value: (x) => 0.5 * x * (1 + Math.tanh(geluInner(x))),
  derivative: (x) => {
    const t = Math.tanh(geluInner(x));
    return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * GELU_SCALE * (1 + 3 * 0.044715 * x * x);
  },
});
