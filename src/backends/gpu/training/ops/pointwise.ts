import type { OpKernels } from '../kernels.ts';
import { at, X } from '../tensor.ts';

/** Text of f(x), and of f′ from `x` and the value `y`, each of which it names once. Functions are those of `functions.ts`. */
interface Formula {
  readonly value: string;
  readonly slope: string;
  /** Of a constant, which is computed once and on which much depends. */
  readonly exact?: string;
}

const formulas: Readonly<Record<string, Formula>> = {
  neg: { value: '0 - x', slope: '0 - 1' },
  abs: { value: 'Math.abs(x)', slope: 'signum(x)' },
  square: { value: 'squared(x)', slope: '2 * x' },
  sqrt: { value: 'Math.sqrt(x)', slope: '0.5 / y' },
  reciprocal: { value: '1 / x', slope: '0 - squared(y)' },
  exp: { value: 'Math.exp(x)', slope: 'y', exact: 'exponential(x)' },
  log: { value: 'Math.log(x)', slope: '1 / x' },
  sin: { value: 'sine(x)', slope: 'cosine(x)' },
  cos: { value: 'cosine(x)', slope: '0 - sine(x)' },
  tanh: { value: 'tangent(x)', slope: '1 - squared(y)' },
  relu: { value: 'rectifier(x)', slope: 'stepped(x)' },
  sigmoid: { value: 'logistic(x)', slope: 'bell(y)' },
  softplus: { value: 'rectified(x)', slope: 'logistic(x)' },
  silu: { value: 'silu(x)', slope: 'siluSlope(x)' },
  gelu: { value: 'gelu(x)', slope: 'geluSlope(x)' },
  'gelu-tanh': { value: 'geluTanh(x)', slope: 'geluTanhSlope(x)' },
  'stop-gradient': { value: 'x', slope: '0' },
};

const kernels = ({ value, slope, exact = value }: Formula): OpKernels => ({
  lazy: true,
  forward({ plan, label, dims, inputs }) {
    const [a] = inputs;
    const text = (dims.length === 1 ? exact : value).replaceAll(/\bx\b/g, at('a', a!, X));
    return plan.formula({ label, dims, inputs: { a: a! }, text });
  },
  adjoint({ plan, label, dims, inputs, output, dOutput, give }) {
    const [a] = inputs;
    if (slope === '0') return;
    const text = slope
      .replaceAll(/\bx\b/g, at('a', a!, X))
      .replaceAll(/(?<!thread\.)\by\b/g, at('b', output, X));
    give(
      0,
      plan.formula({
        label,
        dims,
        inputs: { d: dOutput, a: a!, b: output },
        text: `${at('d', dOutput, X)} * (${text})`,
      }),
    );
  },
});

export const pointwise: Readonly<Record<string, OpKernels>> = Object.fromEntries(
  Object.entries(formulas).map(([name, formula]) => [name, kernels(formula)]),
);
