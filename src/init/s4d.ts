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
import { nplr } from './hippo.ts';

/** The names of the initialisations. */
export type S4dInit = 'lin' | 'inv' | 'quad' | 'real' | 'legs';

/** Diagonal state matrix and input weights, one of each conjugate pair. */
export interface S4dParameters {
  readonly A: Complex; // (N/2)
  readonly B: Complex; // (N/2)
}

/** Modes of the given decay and frequency (A = −decay − i·frequency), with B = 1. */
const modes =
  (decay: (k: number) => number, frequency: (k: number, n: number) => number) =>
  (n: number): S4dParameters => {
    const [A, B] = [complexZeros(n / 2), complexZeros(n / 2)];
    for (let k = 0; k < n / 2; k++) {
      A.re[k] = -decay(k);
      A.im[k] = 0 - frequency(k, n); // 0 − 0 is 0, where −0 would be a sign that means nothing
      B.re[k] = 1;
    }
    return { A, B };
  };

const half = (): number => 0.5;

const inits: Record<S4dInit, (n: number) => S4dParameters> = {
  lin: modes(half, (k) => Math.PI * k),
  inv: modes(half, (k, n) => (n / Math.PI) * (n / (2 * k + 1) - 1)),
  quad: modes(half, (k) => (2 * k + 1) ** 2 / Math.PI),
  real: modes(
    (k) => k + 1,
    () => 0,
  ),
  legs(n) {
    // The theory asks for half of this B (one of each pair is kept); the official code leaves the half out.
    const { W, B } = nplr('legs', n);
    return { A: { re: new Float64Array(n / 2).fill(-0.5), im: W.im }, B };
  },
};

/** The initialisations by name. */
export const s4dInits = Object.keys(inits) as readonly S4dInit[];

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
  return inits[init](n);
}
