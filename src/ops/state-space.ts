import type { PrepareCall, Signal } from '../signal/index.ts';
import { defineOp, formatShape, isConstant, sizeOf } from '../signal/index.ts';

/**
 * A dense linear system in discrete time, by the convention of control and of scipy's `dlsim`:
 *
 *     y[k] = C x[k] + D u[k],   then   x[k+1] = A x[k] + B u[k]
 *
 * The output sees the state before the current input enters it, unlike the layers' `diagonalScan`.
 *
 * | symbol | shape |
 * | --- | --- |
 * | u | (inputs) |
 * | A | (states × states) |
 * | B | (states × inputs) |
 * | C | (outputs × states) |
 * | D | (outputs × inputs) |
 * | x | (states) |
 */
interface StateSpaceAttributes {
  /** Coefficients and state in float64 whatever the signals are, or as the signals are. */
  readonly arithmetic: 'float64' | 'signal';
}

interface Prepared {
  readonly A: Float64Array;
  readonly B: Float64Array;
  readonly C: Float64Array;
  readonly D: Float64Array;
  readonly next: Float64Array;
}

const matrices = <Matrix>(of: (input: number) => Matrix): Record<'A' | 'B' | 'C' | 'D', Matrix> => ({
  A: of(1),
  B: of(2),
  C: of(3),
  D: of(4),
});

function retune(
  { A, B, C, D }: Prepared,
  { attributes, constants, precision }: PrepareCall<StateSpaceAttributes>,
): void {
  const rounded = attributes.arithmetic === 'signal' && precision !== 'float64';
  write(A, constants[1]!, rounded);
  write(B, constants[2]!, rounded);
  write(C, constants[3]!, rounded);
  write(D, constants[4]!, rounded);
}

function write(to: Float64Array, from: Float64Array, rounded: boolean): void {
  for (let i = 0; i < to.length; i++) to[i] = rounded ? Math.fround(from[i]!) : from[i]!;
}

const stateSpaceOp = defineOp<StateSpaceAttributes, Prepared>({
  name: 'state-space',
  shape(_attributes, [u, A, B, C, D], reject) {
    const inputs = sizeOf(u!.shape);
    const [states, columns] = A!.shape;
    const [outputs] = C!.shape;
    const expect = (name: string, type: typeof A, rows: number, cols: number): void => {
      if (type!.shape.length !== 2 || type!.shape[0] !== rows || type!.shape[1] !== cols) {
        reject(`${name} ${formatShape(type!.shape)} must be ${formatShape([rows, cols])}`);
      }
      if (!isConstant(type!)) reject(`${name} varies in time; it must be a constant`);
    };
    if (states !== columns) reject(`A ${formatShape(A!.shape)} must be square`);
    expect('A', A, states!, states!);
    expect('B', B, states!, inputs);
    expect('C', C, outputs!, states!);
    expect('D', D, outputs!, inputs);
    return [outputs!];
  },
  state: ({ arithmetic }, types) => ({ x: { shape: [types[1]!.shape[0]!], type: arithmetic } }),
  time: () => [1],
  prepare(call) {
    const prepared = {
      ...matrices((at) => new Float64Array(call.constants[at]!.length)),
      next: new Float64Array(call.types[1]!.shape[0]!),
    };
    retune(prepared, call);
    return prepared;
  },
  retune,
  step({ types, inputs, output, state, prepared: { A, B, C, D, next } }) {
    const u = inputs[0]!;
    const x = state['x']!;
    const m = sizeOf(types[0]!.shape);
    const n = x.length;
    const p = types[3]!.shape[0]!;
    for (let i = 0; i < p; i++) {
      let sum = 0;
      for (let j = 0; j < n; j++) sum += C[i * n + j]! * x[j]!;
      for (let j = 0; j < m; j++) sum += D[i * m + j]! * u.data[u.at + j]!;
      output.data[output.at + i] = sum;
    }
    for (let i = 0; i < n; i++) {
      let sum = 0;
      for (let j = 0; j < n; j++) sum += A[i * n + j]! * x[j]!;
      for (let j = 0; j < m; j++) sum += B[i * m + j]! * u.data[u.at + j]!;
      // Far below anything audible, and far above the subnormals that would slow every frame down.
      next[i] = Math.abs(sum) < FLUSH_BELOW ? 0 : sum;
    }
    x.set(next);
  },
  adjoint({ types, inputs, dOutput, dInputs, firings, prepared: { A, B, C, D } }) {
    const u = inputs[0]!;
    const [du, dA, dB, dC, dD] = dInputs;
    const m = sizeOf(types[0]!.shape);
    const n = types[1]!.shape[0]!;
    const p = types[3]!.shape[0]!;
    const x = new Float64Array((firings + 1) * n);
    for (let k = 0; k < firings; k++) {
      for (let i = 0; i < n; i++) {
        let sum = 0;
        for (let j = 0; j < n; j++) sum += A[i * n + j]! * x[k * n + j]!;
        for (let j = 0; j < m; j++) sum += B[i * m + j]! * u.data[u.origin + k * m + j]!;
        x[(k + 1) * n + i] = sum;
      }
    }
    // λ = dL/dx[k+1] on entry of frame k, dL/dx[k] on leaving it.
    let lambda = new Float64Array(n);
    for (let k = firings - 1; k >= 0; k--) {
      const past = new Float64Array(n);
      const uAt = u.origin + k * m;
      for (let i = 0; i < n; i++) {
        for (let j = 0; j < n; j++) {
          past[j]! += A[i * n + j]! * lambda[i]!;
          if (dA) dA.data[dA.origin + i * n + j]! += lambda[i]! * x[k * n + j]!;
        }
        for (let j = 0; j < m; j++) {
          if (du) du.data[du.origin + k * m + j]! += B[i * m + j]! * lambda[i]!;
          if (dB) dB.data[dB.origin + i * m + j]! += lambda[i]! * u.data[uAt + j]!;
        }
      }
      for (let i = 0; i < p; i++) {
        const dy = dOutput.data[dOutput.origin + k * p + i]!;
        for (let j = 0; j < n; j++) {
          past[j]! += C[i * n + j]! * dy;
          if (dC) dC.data[dC.origin + i * n + j]! += dy * x[k * n + j]!;
        }
        for (let j = 0; j < m; j++) {
          if (du) du.data[du.origin + k * m + j]! += D[i * m + j]! * dy;
          if (dD) dD.data[dD.origin + i * m + j]! += dy * u.data[uAt + j]!;
        }
      }
      lambda = past;
    }
  },
});

/** State below this is set to zero, so that a filter that rings out never runs on subnormals. */
const FLUSH_BELOW = 2 ** -500;

/** The four matrices of a discrete-time system, as signals: A (n × n), B (n × m), C (p × n), D (p × m). */
export interface StateSpaceSignals {
  readonly A: Signal;
  readonly B: Signal;
  readonly C: Signal;
  readonly D: Signal;
}

/**
 * y[k] = C x[k] + D u[k], then x[k+1] = A x[k] + B u[k]: scipy's `dlsim`.
 *
 * @param arithmetic `float64` (default) keeps state and coefficients in float64 whatever the signals are.
 * @throws GraphError where a matrix does not fit.
 */
export const stateSpace = (
  u: Signal,
  { A, B, C, D }: StateSpaceSignals,
  arithmetic: StateSpaceAttributes['arithmetic'] = 'float64',
): Signal => u.trace.apply(stateSpaceOp, { arithmetic }, [u, A, B, C, D]);
