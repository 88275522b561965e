/**
 * A dense linear system in continuous time, stepped exactly by zero-order hold over steps that come by frame:
 *
 *     x[k] = e^{A dt[k]} x[k−1] + ∫₀^{dt[k]} e^{A s} ds B u[k],   y[k] = C x[k] + D u[k]
 *
 * u[k] is held over the step that ends at frame k, and the output sees it, as in the layers and unlike `stateSpace`. A
 * gap is one step however long; a step of 0 leaves the state where it is.
 *
 * | symbol | name | shape |
 * | --- | --- | --- |
 * | u | input | (m) |
 * | A, B, C, D | the system, per second | (n × n), (n × m), (p × n), (p × m), constant |
 * | dt | seconds, 0 or more, constant or by frame | (1) |
 * | x | state, float64 | (n) |
 * | Ā, B̄ | the step's matrices, by one matrix exponential | (n × n), (n × m) |
 */
import { zoh, type StateSpace } from '../discretize/index.ts';
import { expm, matmul, norm1, transpose } from '../linalg/index.ts';
import type { AdjointCall, PrepareCall, Shape, Signal, StepCall } from '../signal/index.ts';
import { defineOp, formatShape, isConstant, sizeOf } from '../signal/index.ts';
import { StepCache } from './step-cache.ts';

interface Step {
  readonly A: Float64Array;
  readonly B: Float64Array;
}

interface Prepared {
  readonly system: StateSpace;
  /** Where dt stands still. */
  readonly still: Step | undefined;
  steps: StepCache<Step>;
  readonly next: Float64Array;
}

const [U, A, B, C, D, DT] = [0, 1, 2, 3, 4, 5] as const;

/** State below this is set to zero, so that a system that rings out never runs on subnormals. */
const FLUSH_BELOW = 2 ** -500;

function prepare(call: PrepareCall<null>): Prepared {
  const [n, m] = call.types[B]!.shape as [number, number];
  const p = call.types[C]!.shape[0]!;
  const system = {
    n,
    inputs: m,
    outputs: p,
    A: new Float64Array(n * n),
    B: new Float64Array(n * m),
    C: new Float64Array(p * n),
    D: new Float64Array(p * m),
  };
  const prepared: Prepared = {
    system,
    still: call.constants[DT] && stepOf(system)(),
    steps: new StepCache(1, stepOf(system)),
    next: new Float64Array(n),
  };
  retune(prepared, call);
  return prepared;
}

const stepOf =
  ({ A: a, B: b }: StateSpace) =>
  (): Step => ({ A: new Float64Array(a.length), B: new Float64Array(b.length) });

/** Allocates where dt stands still (a matrix exponential), and for the steps that it forgets. */
function retune(prepared: Prepared, { constants }: PrepareCall<null>): void {
  const { system, still } = prepared;
  system.A.set(constants[A]!);
  system.B.set(constants[B]!);
  system.C.set(constants[C]!);
  system.D.set(constants[D]!);
  prepared.steps = new StepCache(1, stepOf(system));
  if (still === undefined) return;
  const made = zoh.dense(system, constants[DT]![0]!);
  still.A.set(made.A);
  still.B.set(made.B);
}

function matricesAt({ inputs, prepared: { system, still, steps } }: StepCall<null, Prepared>): Step {
  if (still) return still;
  const dt = inputs[DT]!;
  const known = steps.find(dt.data, dt.at);
  if (known) return known;
  // First, since it throws on a step that is negative or not finite.
  const made = zoh.dense(system, dt.data[dt.at]!);
  const kept = steps.claim(dt.data, dt.at);
  kept.A.set(made.A);
  kept.B.set(made.B);
  return kept;
}

/** next = Ā x + B̄ u */
function advance(
  { A: aBar, B: bBar }: Step,
  x: ArrayLike<number>,
  xAt: number,
  u: ArrayLike<number>,
  uAt: number,
  m: number,
  next: Float64Array,
): void {
  const n = next.length;
  for (let i = 0; i < n; i++) {
    let sum = 0;
    for (let j = 0; j < n; j++) sum += aBar[i * n + j]! * x[xAt + j]!;
    for (let j = 0; j < m; j++) sum += bBar[i * m + j]! * u[uAt + j]!;
    next[i] = sum;
  }
}

function step(call: StepCall<null, Prepared>): void {
  const { inputs, output, state, prepared } = call;
  const { system, next } = prepared;
  const { n, inputs: m, outputs: p } = system;
  const u = inputs[U]!;
  const x = state['x']!;
  advance(matricesAt(call), x, 0, u.data, u.at, m, next);
  for (let i = 0; i < n; i++) x[i] = Math.abs(next[i]!) < FLUSH_BELOW ? 0 : next[i]!;
  for (let i = 0; i < p; i++) {
    let sum = 0;
    for (let j = 0; j < n; j++) sum += system.C[i * n + j]! * x[j]!;
    for (let j = 0; j < m; j++) sum += system.D[i * m + j]! * u.data[u.at + j]!;
    output.data[output.at + i] = sum;
  }
}

/**
 * λ[k] = Cᵀ dy[k] + Ā[k+1]ᵀ λ[k+1], dĀ[k] = λ[k] x[k−1]ᵀ, dB̄[k] = λ[k] u[k]ᵀ, and as ∂Ā/∂dt = A Ā, ∂B̄/∂dt = Ā B:
 * ddt[k] = dĀ[k]·(A Ā) + dB̄[k]·(Ā B). Gradients of A and B are gathered by step and pulled back once a step.
 */
function adjoint({ inputs, types, dOutput, dInputs, prepared, firings }: AdjointCall<null, Prepared>): void {
  const { system } = prepared;
  const { n, inputs: m, outputs: p } = system;
  const [u, dt] = [inputs[U]!, inputs[DT]!];
  const still = isConstant(types[DT]!);
  const dtPlace = (k: number): number => (still ? 0 : k);
  const steps = new Map<
    number,
    { made: Step; slopeA: Float64Array; slopeB: Float64Array; dA: Float64Array; dB: Float64Array }
  >();
  const stepAt = (k: number): NonNullable<ReturnType<typeof steps.get>> => {
    const value = dt.data[dt.origin + dtPlace(k)]!;
    let found = steps.get(value);
    if (found === undefined) {
      const made = zoh.dense(system, value);
      found = {
        made,
        slopeA: matmul(system.A, made.A, n, n, n),
        slopeB: matmul(made.A, system.B, n, n, m),
        dA: new Float64Array(n * n),
        dB: new Float64Array(n * m),
      };
      steps.set(value, found);
    }
    return found;
  };
  const uAt = (k: number): number => u.origin + k * m;

  // x[k] stands at k + 1.
  const x = new Float64Array((firings + 1) * n);
  for (let k = 0; k < firings; k++)
    advance(stepAt(k).made, x, k * n, u.data, uAt(k), m, x.subarray((k + 1) * n, (k + 2) * n));

  const add = (input: number, index: number, amount: number): void => {
    const to = dInputs[input];
    if (to) to.data[to.origin + index]! += amount;
  };
  let lambda = new Float64Array(n);
  for (let k = firings - 1; k >= 0; k--) {
    for (let i = 0; i < p; i++) {
      const dy = dOutput.data[dOutput.origin + k * p + i]!;
      for (let j = 0; j < n; j++) {
        lambda[j]! += system.C[i * n + j]! * dy;
        add(C, i * n + j, dy * x[(k + 1) * n + j]!);
      }
      for (let j = 0; j < m; j++) {
        add(U, k * m + j, system.D[i * m + j]! * dy);
        add(D, i * m + j, dy * u.data[uAt(k) + j]!);
      }
    }
    const { made, slopeA, slopeB, dA, dB } = stepAt(k);
    const past = new Float64Array(n);
    let dDt = 0;
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        const d = lambda[i]! * x[k * n + j]!;
        dA[i * n + j]! += d;
        dDt += d * slopeA[i * n + j]!;
        past[j]! += made.A[i * n + j]! * lambda[i]!;
      }
      for (let j = 0; j < m; j++) {
        const d = lambda[i]! * u.data[uAt(k) + j]!;
        dB[i * m + j]! += d;
        dDt += d * slopeB[i * m + j]!;
        add(U, k * m + j, made.B[i * m + j]! * lambda[i]!);
      }
    }
    add(DT, dtPlace(k), dDt);
    lambda = past;
  }
  for (const [value, { dA, dB }] of steps) pullBack(system, value, dA, dB, add);
}

/**
 * Gradients of A and B from those of Ā and B̄ at a step, by the Fréchet derivative L of the exponential (N. J. Higham,
 * "Functions of Matrices", 2008, §3.2 and theorem 10.13): with [Ā B̄; 0 I] = e^M, M = dt [A B; 0 0],
 *
 *     dM = L(Mᵀ, W),   W = [dĀ dB̄; 0 0],   e^[Mᵀ W; 0 Mᵀ] = [e^Mᵀ L(Mᵀ, W); 0 e^Mᵀ]
 */
function pullBack(
  { n, inputs: m, A: a, B: b }: StateSpace,
  dt: number,
  dA: Float64Array,
  dB: Float64Array,
  add: (input: number, index: number, amount: number) => void,
): void {
  const size = n + m;
  const rows = (left: Float64Array, right: Float64Array, scale: number): Float64Array => {
    const all = new Float64Array(size * size);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) all[i * size + j] = scale * left[i * n + j]!;
      for (let j = 0; j < m; j++) all[i * size + n + j] = scale * right[i * m + j]!;
    }
    return all;
  };
  const Mt = transpose(rows(a, b, dt), size, size);
  const W = rows(dA, dB, 1);
  // L is linear in W: at a size of 1 it does not set the scaling of the exponential.
  const weight = norm1(W, size, size);
  if (weight === 0) return;
  const blocks = new Float64Array(4 * size * size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      const value = Mt[i * size + j]!;
      blocks[i * 2 * size + j] = value;
      blocks[(size + i) * 2 * size + size + j] = value;
      blocks[i * 2 * size + size + j] = W[i * size + j]! / weight;
    }
  }
  const E = expm(blocks, 2 * size);
  for (let i = 0; i < n; i++) {
    const row = i * 2 * size + size;
    for (let j = 0; j < n; j++) add(A, i * n + j, dt * weight * E[row + j]!);
    for (let j = 0; j < m; j++) add(B, i * m + j, dt * weight * E[row + n + j]!);
  }
}

const irregularStateSpaceOp = defineOp<null, Prepared>({
  name: 'irregular-state-space',
  shape(_attributes, types, reject) {
    const m = sizeOf(types[U]!.shape);
    const [n] = types[A]!.shape;
    const [p] = types[C]!.shape;
    for (const [name, at, shape] of [
      ['A', A, [n, n]],
      ['B', B, [n, m]],
      ['C', C, [p, n]],
      ['D', D, [p, m]],
    ] as const) {
      const type = types[at]!;
      if (formatShape(type.shape) !== formatShape(shape as Shape))
        reject(`${name} ${formatShape(type.shape)} must be ${formatShape(shape as Shape)}`);
      if (!isConstant(type)) reject(`${name} varies in time; only dt may`);
    }
    if (sizeOf(types[DT]!.shape) !== 1)
      reject(`dt ${formatShape(types[DT]!.shape)} must be one number of seconds: (1)`);
    return [p!];
  },
  time: () => [DT],
  state: (_attributes, types) => ({ x: { shape: [types[A]!.shape[0]!], type: 'float64' } }),
  prepare,
  retune,
  step,
  adjoint,
});

export interface IrregularStateSpaceOperands {
  readonly A: Signal;
  readonly B: Signal;
  readonly C: Signal;
  readonly D: Signal;
  /** Seconds (1), constant or by frame. */
  readonly dt: Signal;
}

/**
 * x[k] = e^{A dt[k]} x[k−1] + ∫ e^{A s} ds B u[k], y[k] = C x[k] + D u[k], in float64. The matrices of the latest
 * eight different steps are kept; a step that is not among them costs a matrix exponential, O((n + m)³).
 *
 * @throws GraphError where a matrix does not fit; ArgumentError, while it runs, for a step that is negative.
 */
export const irregularStateSpace = (
  u: Signal,
  { A: a, B: b, C: c, D: d, dt }: IrregularStateSpaceOperands,
): Signal => u.trace.apply(irregularStateSpaceOp, null, [u, a, b, c, d, dt]);
