import { ArgumentError } from '../errors.ts';
import { conjugate, distance, magnitude } from './complex.ts';
import type { Complex } from './types.ts';

/** How far, relative to its size, a root may be from being real or from its conjugate: scipy's 100 ulp. */
const TOLERANCE = 100 * Number.EPSILON;

/** The roots of a real polynomial: one of each conjugate pair, and the real ones; both in ascending order. */
export interface SplitRoots {
  /** im > 0, ascending by real part, then by imaginary part */
  readonly pairs: Complex[];
  readonly reals: number[];
}

/**
 * Splits the roots of a real polynomial into conjugate pairs and reals.
 *
 * @throws ArgumentError where a complex root lacks its conjugate (to 100 ulp), or is not finite
 * @example splitConjugates([{ re: 0, im: 1 }, { re: 2, im: 0 }, { re: 0, im: -1 }]) // pairs [i], reals [2]
 */
export function splitConjugates(roots: readonly Complex[], what: string): SplitRoots {
  for (const root of roots) {
    if (!Number.isFinite(root.re) || !Number.isFinite(root.im)) {
      throw new ArgumentError(`${what} has the value ${root.re} + ${root.im}i: every root must be finite`);
    }
  }
  const isReal = (root: Complex) => Math.abs(root.im) <= TOLERANCE * magnitude(root);
  const reals = roots.filter(isReal).map((root) => root.re);
  const lower = roots.filter((root) => !isReal(root) && root.im < 0);
  const upper = roots.filter((root) => !isReal(root) && root.im > 0);
  const pairs = upper.map((root) => {
    const mirror = conjugate(root);
    let nearest = -1;
    for (const [i, other] of lower.entries()) {
      if (nearest < 0 || distance(other, mirror) < distance(lower[nearest], mirror)) nearest = i;
    }
    const partner = nearest < 0 ? undefined : lower.splice(nearest, 1)[0];
    if (partner === undefined || distance(partner, mirror) > TOLERANCE * magnitude(root))
      unpaired(root, what);
    return { re: (root.re + partner.re) / 2, im: (root.im - partner.im) / 2 };
  });
  if (lower.length > 0) unpaired(lower[0], what);
  pairs.sort((x, y) => x.re - y.re || x.im - y.im);
  reals.sort((x, y) => x - y);
  return { pairs, reals };
}

function unpaired(root: Complex, what: string): never {
  throw new ArgumentError(
    `${what} has the complex value ${root.re} + ${root.im}i without its conjugate: ` +
      `a filter of real signals needs both; add ${root.re} - ${root.im}i`,
  );
}

/** Both members of each pair, then the reals: the inverse of {@link splitConjugates}. */
export function joinConjugates({ pairs, reals }: SplitRoots): Complex[] {
  return [...pairs.flatMap((root) => [root, conjugate(root)]), ...reals.map((re) => ({ re, im: 0 }))];
}
