/**
 * A linear system in continuous time under noise, and its exact steps over any time:
 *
 *     x′ = A x + B u + w,   y[k] = C x(t_k) + v[k]
 *
 * | symbol | name | shape |
 * | --- | --- | --- |
 * | x, u, y | state, control, reading | (n), (m), (p) |
 * | w | noise that drives the system: white, of spectral density Q; or held over each step, of covariance Q, through G | (n), or (g) |
 * | v | noise of the readings, independent, of variance R | (p) |
 * | x₀, P₀ | what is believed at the first reading, before it | (n), (n × n) |
 * | Ā, B̄, Q̄ | over a step dt: transition, control, noise gathered | (n × n), (n × m), (n × n) |
 */
import { exactStep } from '../discretize/exponential.ts';
import { ArgumentError } from '../errors.ts';
import { expm, matmul, norm1, transpose } from '../linalg/index.ts';

export type Matrix = readonly (readonly number[])[];

/** How the system is disturbed. */
export type ProcessNoise =
  /** White noise in continuous time: `density` (n × n), unit² per second. */
  | { readonly kind: 'white'; readonly density: Matrix }
  /** Drawn anew for every step and held over it: Q̄ = B̄_G covariance B̄_Gᵀ (piecewise constant acceleration, say). */
  | { readonly kind: 'held'; readonly through: Matrix; readonly covariance: Matrix };

export interface KalmanSystem {
  /** (n × n), per second. */
  readonly A: Matrix;
  /** (p × n) */
  readonly C: Matrix;
  /** (n × m); absent: nothing is controlled. */
  readonly B?: Matrix;
  readonly noise: ProcessNoise;
  /** Variance of each reading (p). */
  readonly R: readonly number[];
  /** x₀ (n); zeros. */
  readonly mean?: readonly number[];
  /** P₀ (n × n) */
  readonly covariance: Matrix;
}

/** The same, checked, row-major. */
export interface FlatKalmanSystem {
  readonly n: number;
  readonly m: number;
  readonly p: number;
  readonly A: Float64Array;
  readonly B: Float64Array;
  readonly C: Float64Array;
  readonly R: Float64Array;
  readonly mean: Float64Array;
  readonly covariance: Float64Array;
  readonly noise:
    | { readonly kind: 'white'; readonly density: Float64Array }
    | {
        readonly kind: 'held';
        readonly g: number;
        readonly through: Float64Array;
        readonly covariance: Float64Array;
      };
}

/** One step's matrices. */
export interface KalmanStep {
  readonly A: Float64Array;
  readonly B: Float64Array;
  readonly Q: Float64Array;
}

function flat(name: string, matrix: Matrix, rows: number, columns: number): Float64Array {
  if (matrix.length !== rows || matrix.some((row) => row.length !== columns)) {
    throw new ArgumentError(
      `Kalman: ${name} is (${matrix.length} × ${matrix[0]?.length ?? 0}); it must be (${rows} × ${columns})`,
    );
  }
  const values = Float64Array.from(matrix.flat());
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) throw new ArgumentError(`Kalman: ${name} holds ${values[bad]}; give finite numbers`);
  return values;
}

function symmetric(name: string, matrix: Matrix, n: number): Float64Array {
  const values = flat(name, matrix, n, n);
  for (let i = 0; i < n; i++) {
    if (values[i * n + i]! < 0)
      throw new ArgumentError(`Kalman: ${name} has the variance ${values[i * n + i]}; give 0 or more`);
    for (let j = 0; j < i; j++) {
      if (values[i * n + j] !== values[j * n + i])
        throw new ArgumentError(`Kalman: ${name} is not symmetric at row ${i}, column ${j}`);
    }
  }
  return values;
}

/** @throws ArgumentError naming the matrix that does not fit, is not symmetric or not finite. */
export function flatten(system: KalmanSystem): FlatKalmanSystem {
  const n = system.A.length;
  const p = system.C.length;
  const m = system.B?.[0]?.length ?? 0;
  if (n === 0 || p === 0) throw new ArgumentError('Kalman: A and C need a row each');
  const R = flat('R', [system.R], 1, p);
  const bad = R.find((value) => !(value > 0));
  if (bad !== undefined) throw new ArgumentError(`Kalman: R is ${bad}; give each reading a variance above 0`);
  const { noise } = system;
  const g = noise.kind === 'held' ? (noise.through[0]?.length ?? 0) : 0;
  return {
    n,
    m,
    p,
    A: flat('A', system.A, n, n),
    B: system.B ? flat('B', system.B, n, m) : new Float64Array(0),
    C: flat('C', system.C, p, n),
    R,
    mean: system.mean ? flat('mean', [system.mean], 1, n) : new Float64Array(n),
    covariance: symmetric('covariance', system.covariance, n),
    noise:
      noise.kind === 'white'
        ? { kind: 'white', density: symmetric('noise.density', noise.density, n) }
        : {
            kind: 'held',
            g,
            through: flat('noise.through', noise.through, n, g),
            covariance: symmetric('noise.covariance', noise.covariance, g),
          },
  };
}

/**
 * The matrices of a step, exactly: white noise by C. F. Van Loan, "Computing integrals involving the matrix
 * exponential" (1978), theorem 1, held noise as a control is.
 *
 * @param dt seconds, 0 or more
 * @throws ArgumentError for a step that is negative or not finite.
 */
export function kalmanStep(system: FlatKalmanSystem, dt: number): KalmanStep {
  const { n, m, A, B, noise } = system;
  const exact = exactStep(
    { n, inputs: m, outputs: 0, A, B, C: new Float64Array(0), D: new Float64Array(0) },
    dt,
    m > 0 ? 1 : 0,
    'Kalman',
  );
  return { A: exact.transition, B: exact.phi1, Q: gathered(system, dt, noise) };
}

function gathered({ n, A }: FlatKalmanSystem, dt: number, noise: FlatKalmanSystem['noise']): Float64Array {
  let Q: Float64Array;
  if (noise.kind === 'held') {
    const { g, through, covariance } = noise;
    const hold = exactStep(
      { n, inputs: g, outputs: 0, A, B: through, C: new Float64Array(0), D: new Float64Array(0) },
      dt,
      1,
      'Kalman',
    ).phi1;
    Q = matmul(matmul(hold, covariance, n, g, g), transpose(hold, n, g), n, g, n);
  } else {
    // −A grows where A decays: Van Loan's form on a part of the step, then doubled, Q̄(2t) = Q̄(t) + Ā(t) Q̄(t) Ā(t)ᵀ.
    const doublings = Math.max(0, Math.ceil(Math.log2(norm1(A, n, n) * dt)));
    const part = dt / 2 ** doublings;
    const size = 2 * n;
    const M = new Float64Array(size * size);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        M[i * size + j] = -A[i * n + j]! * part;
        M[i * size + n + j] = noise.density[i * n + j]! * part;
        M[(n + i) * size + n + j] = A[j * n + i]! * part;
      }
    }
    // e^[−A Q; 0 Aᵀ]t = [… Ā⁻¹ Q̄; 0 Āᵀ]
    const E = expm(M, size);
    const corner = new Float64Array(n * n);
    let Abar = new Float64Array(n * n);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        corner[i * n + j] = E[i * size + n + j]!;
        Abar[i * n + j] = E[(n + j) * size + n + i]!;
      }
    }
    Q = matmul(Abar, corner, n, n, n);
    for (let k = 0; k < doublings; k++) {
      const moved = matmul(matmul(Abar, Q, n, n, n), transpose(Abar, n, n), n, n, n);
      Q = Q.map((value, i) => value + moved[i]!);
      Abar = matmul(Abar, Abar, n, n, n) as Float64Array<ArrayBuffer>;
    }
  }
  // Symmetric but for rounding.
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) Q[i * n + j] = Q[j * n + i] = (Q[i * n + j]! + Q[j * n + i]!) / 2;
  }
  return Q;
}
