/**
 * Diagonal initialisations of S4D: Gu, Gupta, Goel & Ré 2022, "On the Parameterization and Initialization of Diagonal
 * State Space Models", sections 4.2–4.3; conventions of state-spaces/s4 `models/s4/s4.py` `dplr`.
 *
 * | symbol | meaning | shape |
 * | --- | --- | --- |
 * | N | states of the real system; one of each conjugate pair is kept | 1 |
 * | A | diagonal, Re < 0, Im ≤ 0 | N/2 |
 * | B | input weights: 1, for legs those of HiPPO | N/2 |
 */
import { ArgumentError } from '../errors.ts';
import { complexZeros } from '../linalg/complex.ts';
import type { Complex } from '../linalg/complex.ts';
import { hippoEigen, nplr } from './hippo.ts';

/** The names of the initialisations. */
export type S4dInit = 'lin' | 'inv' | 'quad' | 'real' | 'legs';

interface DiagonalInit {
  /** −Re A of mode k of N/2. */
  readonly decay: (k: number) => number;
  /** −Im A of the modes. */
  readonly frequencies: (n: number) => Float64Array;
  readonly input: (n: number) => Complex;
}

const half = (): number => 0.5;

const each = (frequency: (k: number, n: number) => number) => (n: number) =>
  Float64Array.from({ length: n / 2 }, (_, k) => frequency(k, n));

const ones = (n: number): Complex => ({
  re: new Float64Array(n / 2).fill(1),
  im: new Float64Array(n / 2),
});

const inits: Record<S4dInit, DiagonalInit> = {
  lin: { decay: half, frequencies: each((k) => Math.PI * k), input: ones },
  inv: { decay: half, frequencies: each((k, n) => (n / Math.PI) * (n / (2 * k + 1) - 1)), input: ones },
  quad: { decay: half, frequencies: each((k) => (2 * k + 1) ** 2 / Math.PI), input: ones },
  real: { decay: (k) => k + 1, frequencies: each(() => 0), input: ones },
  legs: {
    decay: half,
    frequencies: (n) =>
      hippoEigen('legs', n)
        .W.im.slice(0, n / 2)
        .map((im) => -im),
    // The theory asks for half of this B (one of each pair is kept); the official code leaves the half out.
    input: (n) => nplr('legs', n).B,
  },
};

/** The initialisations by name. */
export const s4dInits = Object.keys(inits) as readonly S4dInit[];

/** Diagonal state matrix and input weights, one of each conjugate pair. */
export interface S4dParameters {
  readonly A: Complex; // (N/2)
  readonly B: Complex; // (N/2)
}

/**
 * The diagonal initialisation of a name.
 *
 * - `lin`: A = −½ − iπk · `inv`: A = −½ − i (N/π)(N/(2k + 1) − 1) · `quad`: A = −½ − i (2k + 1)²/π
 * - `real`: A = −(k + 1) · `legs`: the normal part of HiPPO-LegS, |Im B| clipped to 2
 *
 * ```ts
 * s4d('lin', 4).A; // { re: [-0.5, -0.5], im: [0, -π] }
 * ```
 *
 * @param n states, even; N/2 modes are returned
 * @throws {ArgumentError} for an unknown name, or an odd n
 */
export function s4d(init: S4dInit, n: number): S4dParameters {
  if (!Object.hasOwn(inits, init))
    throw new ArgumentError(`s4d: initialisation '${init}' is unknown; use one of ${s4dInits.join(', ')}`);
  if (!Number.isInteger(n) || n < 2 || n % 2 !== 0)
    throw new ArgumentError(`s4d: ${n} states; give an even number of at least 2, half of them are kept`);
  const { decay, frequencies, input } = inits[init];
  const A = complexZeros(n / 2);
  frequencies(n).forEach((frequency, k) => {
    A.re[k] = -decay(k);
    A.im[k] = frequency === 0 ? 0 : -frequency;
  });
  return { A, B: input(n) };
}
