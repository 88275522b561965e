import type { OpKernels } from '../kernels.ts';
import { at, X } from '../tensor.ts';

/** Text of f(x), and of f′ from `x` and the value `y`. Functions by name are those of `functions.ts`. */
interface Formula {
  readonly value: string;
  readonly slope: string;
}

const formulas: Readonly<Record<string, Formula>> = {
  neg: { value: '0 - x', slope: '0 - 1' },
  abs: { value: 'Math.abs(x)', slope: 'x > 0 ? 1 : (x < 0 ? 0 - 1 : 0)' },
  square: { value: 'x * x', slope: '2 * x' },
  sqrt: { value: 'Math.sqrt(x)', slope: '0.5 / y' },
  reciprocal: { value: '1 / x', slope: '0 - y * y' },
  exp: { value: 'Math.exp(x)', slope: 'y' },
  log: { value: 'Math.log(x)', slope: '1 / x' },
  sin: { value: 'sine(x)', slope: 'cosine(x)' },
  cos: { value: 'cosine(x)', slope: '0 - sine(x)' },
  tanh: { value: 'tangent(x)', slope: '1 - y * y' },
  relu: { value: 'x > 0 ? x : 0', slope: 'x > 0 ? 1 : 0' },
  sigmoid: { value: 'logistic(x)', slope: 'y * (1 - y)' },
  softplus: { value: 'rectified(x)', slope: 'logistic(x)' },
  silu: { value: 'x * logistic(x)', slope: 'logistic(x) * (1 + x * (1 - logistic(x)))' },
  gelu: {
    value: 'x * normalCdf(x)',
    slope: 'normalCdf(x) + x * Math.exp(0 - 0.5 * x * x) * 0.3989422804014327',
  },
  'gelu-tanh': { value: 'geluTanh(x)', slope: 'geluTanhSlope(x)' },
  'stop-gradient': { value: 'x', slope: '0' },
};

const kernels = ({ value, slope }: Formula): OpKernels => ({
  forward({ plan, label, dims, inputs }) {
    const [a] = inputs;
    return plan.run({
      label,
      dims,
      inputs: { a: a! },
      body: `const x = ${at('a', a!, X)};\nreturn ${value};`,
    });
  },
  adjoint({ plan, label, dims, inputs, output, dOutput, give }) {
    const [a] = inputs;
    if (slope === '0') return;
    const reads = (name: string): boolean => new RegExp(`\\b${name}\\b`).test(slope);
    const gradient = plan.run({
      label,
      dims,
      inputs: { d: dOutput, ...(reads('x') ? { a: a! } : {}), ...(reads('y') ? { b: output } : {}) },
      body: `${reads('x') ? `const x = ${at('a', a!, X)};\n` : ''}${
        reads('y') ? `const y = ${at('b', output, X)};\n` : ''
      }const slope = ${slope};\nreturn ${at('d', dOutput, X)} * slope;`,
    });
    give(0, gradient);
  },
});

export const pointwise: Readonly<Record<string, OpKernels>> = Object.fromEntries(
  Object.entries(formulas).map(([name, formula]) => [name, kernels(formula)]),
);
