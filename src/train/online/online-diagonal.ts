import { zoh, type Discretization } from '../../discretize/index.ts';
import { logUniformDt, s4d as s4dMatrices, type DtRange, type Random } from '../../init/index.ts';
import { add, diagonalScan, exp, mul, neg, select } from '../../ops/index.ts';
import type { Model, Signal, Trace } from '../../signal/index.ts';
import { learningRule, type LearningOptions } from './learning-rule.ts';
import { recurrentLearningOp, type Learnable } from './recurrent-learning.ts';

export interface OnlineDiagonalOptions extends LearningOptions {
  /** H: channels of the input, and of the target. */
  readonly features: number;
  /** N: states a channel, as they stand in the parameters: of complex ones, one of each conjugate pair. */
  readonly states: number;
  /** Complex poles in conjugate pairs (default), or real ones: time constants alone, no ringing. */
  readonly poles?: 'complex' | 'real';
  readonly discretization?: Discretization;
  /** Whether there is a feed-through D; true. */
  readonly feedThrough?: boolean;
  /** Range of the initial time steps; 0.001 to 0.1. */
  readonly dt?: DtRange;
  /** Hz that the parameters are for; lets a stream run at another rate. */
  readonly sampleRate?: number;
  /** A port `learn`, one number a frame: it learns where that is above 0. Without it, from every frame. */
  readonly gated?: boolean;
}

interface Declared {
  readonly signals: Partial<Record<Learnable, Signal>>;
  readonly names: readonly Learnable[];
}

/** The parameters, by the names of S4D's kernel (without its prefix). */
function declare(trace: Trace, options: OnlineDiagonalOptions): Declared {
  const { features, states, poles = 'complex', feedThrough = true, dt: range = {} } = options;
  const lanes = [features, states] as const;
  const complex = poles === 'complex';
  const { A } = s4dMatrices('lin', 2 * states);
  const pole = (h: number): number => h % states;
  const fill = (value: (i: number) => number) => (): Float64Array =>
    Float64Array.from({ length: features * states }, (_, i) => value(i));
  const normal = (shape: readonly number[], random: Random): Float64Array =>
    Float64Array.from(
      { length: shape.reduce((a, b) => a * b, 1) },
      () => random.normal() / Math.sqrt(states),
    );
  const signals: Partial<Record<Learnable, Signal>> = {
    log_A_real: trace.parameter(
      'log_A_real',
      lanes,
      // S4D-Lin for complex poles, S4D-Real for real ones.
      fill((i) => Math.log(complex ? -A.re[pole(i)]! : 1 + pole(i))),
    ),
    ...(complex
      ? {
          A_imag: trace.parameter(
            'A_imag',
            lanes,
            fill((i) => Math.abs(A.im[pole(i)]!)),
          ),
        }
      : {}),
    C: trace.parameter('C', complex ? [...lanes, 2] : lanes, normal),
    log_dt: trace.parameter('log_dt', [features], (_shape, random: Random) =>
      logUniformDt(random, features, range),
    ),
    ...(feedThrough ? { D: trace.parameter('D', [features], () => new Float64Array(features)) } : {}),
  };
  return { signals, names: Object.keys(signals) as Learnable[] };
}

/**
 * One layer of diagonal state spaces that learns while it streams, by exact real-time recurrent learning: ports
 * `input` and `target` (H each), output the prediction (H) made before the target was seen. Poles stay stable
 * (their real part is −exp of what is learned); B is 1, as in S4D.
 *
 * What it learned, its gradients and its sensitivities are sections of the stream's state: snapshots, forks and resets
 * hold them, and a fresh stream begins at the parameters. `learnedParameters` reads them out; `onlineDiagonal(…).still`
 * is the same layer without learning, which they fit.
 *
 * Only this layer learns. Put layers that stand still before it (`applyTo` takes any signal), and a read-out that
 * learns by least squares behind it if you like: no gradient passes from one to the other. That is what is truncated
 * in a stack: exact gradients of a lower layer would need the sensitivities of every state above it.
 *
 * | parameter | shape |
 * | --- | --- |
 * | `log_A_real`, `A_imag` (complex alone) | (H × N) |
 * | `C` | (H × N × 2): re, im; (H × N) for real poles |
 * | `log_dt` | (H) |
 * | `D` | (H) |
 *
 * On a stream: causal, no latency, about 10 × 8 N H bytes of state; follows another rate and irregular time.
 *
 * @throws ArgumentError for a rate or an interval that is out of range; GraphError where a gradient is asked for.
 * @example
 * const model = onlineDiagonal({ features: 1, states: 4, rate: 1e-2 });
 * const stream = compile(model, initialise(model, 1));
 * const prediction = stream.push({ input: Float32Array.of(1), target: Float32Array.of(0.5) });
 */
export function onlineDiagonal(options: OnlineDiagonalOptions): Model & {
  /** The same layer with weights that stand still: `input` alone. It has gradients. */
  readonly still: Model;
  /** Writes the learning layer into a trace that already runs. */
  applyTo(trace: Trace, input: Signal, target: Signal, learn?: Signal): Signal;
} {
  const { features, states, poles = 'complex', discretization = zoh, gated = false, sampleRate } = options;
  const rule = learningRule(options);
  const complex = poles === 'complex';
  const conjugates = complex ? 2 : 1;
  const applyTo = (trace: Trace, input: Signal, target: Signal, learn?: Signal): Signal => {
    const { signals, names } = declare(trace, options);
    const attributes = {
      channels: features,
      states,
      complex,
      conjugates,
      method: discretization.diagonal,
      has: names,
      hasLearn: learn !== undefined,
      rule,
    } as const;
    const inputs = [input, target, ...names.map((name) => signals[name]!), trace.timeScale()];
    return trace.apply(recurrentLearningOp, attributes, learn ? [...inputs, learn] : inputs, 'learning');
  };
  return {
    name: 'online-diagonal',
    inputs: { input: [features], target: [features], ...(gated ? { learn: [1] } : {}) },
    sampleRate,
    applyTo,
    build: (trace, { input, target, learn }) => ({ output: applyTo(trace, input!, target!, learn) }),
    still: {
      name: 'online-diagonal.still',
      inputs: { input: [features] },
      sampleRate,
      build(trace, { input }) {
        const { signals } = declare(trace, options);
        const re = neg(exp(signals.log_A_real!));
        const C = mul(signals.C!, conjugates);
        const y = diagonalScan(input!, {
          a: complex ? { re, im: signals.A_imag! } : re,
          c: complex ? { re: select(C, 0), im: select(C, 1) } : C,
          dt: mul(exp(signals.log_dt!), trace.timeScale()),
          method: discretization.diagonal,
        });
        return { output: signals.D ? add(y, mul(input!, signals.D)) : y };
      },
    },
  };
}
