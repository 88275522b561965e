import { conjugate, distance, divide, magnitude, multiply, ONE, subtract } from './complex.ts';
import { evaluateTwice, logarithmicDerivative } from './polynomial-value.ts';
import { polynomialFromRoots } from './polynomial.ts';
import type { Complex } from './types.ts';

/**
 * Members of a cluster, each known to (1e-32)^(1/m) only, err on their own after Aberth's iteration, and do not
 * multiply to the given polynomial. Where that shows, they are one multiple root, if that multiplies out; else they
 * are moved together.
 */
export function multiplyingOut(p: readonly number[], found: Complex[]): Complex[] {
  const limit = p.length * Number.EPSILON;
  if (residual(p, found) <= limit) return found;
  for (let reach = 1e-12; reach < 0.1; reach *= 10) {
    const merged = mergeClusters(p, found, reach);
    if (residual(p, merged) <= limit) return merged;
  }
  return refineTogether(p, found, limit);
}

/** Each group of roots within `reach` (relative) of one another becomes its mean, as often. */
function mergeClusters(p: readonly number[], found: readonly Complex[], reach: number): Complex[] {
  const left = found.slice();
  const merged: Complex[] = [];
  while (left.length > 0) {
    const group = [left.shift()!];
    for (const member of group) {
      for (let i = left.length - 1; i >= 0; i--) {
        if (distance(left[i], member) <= reach * magnitude(member)) group.push(...left.splice(i, 1));
      }
    }
    const re = group.reduce((sum, root) => sum + root.re, 0) / group.length;
    const im = group.reduce((sum, root) => sum + root.im, 0) / group.length;
    // A group that holds a root and its conjugate lies on the real axis; others come with their mirror images.
    const onAxis = group.some((x) => group.some((y) => x.re === y.re && x.im === -y.im));
    if (!onAxis && im < 0) continue;
    const root = polishMultiple(p, { re, im: onAxis ? 0 : im }, group.length);
    for (let i = 0; i < group.length; i++) merged.push(...(onAxis ? [root] : [root, conjugate(root)]));
  }
  return merged;
}

/** An m-fold root is a simple one of the (m-1)th derivative: Newton there. */
function polishMultiple(p: readonly number[], start: Complex, multiplicity: number): Complex {
  let derivative = p;
  for (let m = 1; m < multiplicity; m++) {
    const degree = derivative.length - 1;
    derivative = derivative.slice(0, -1).map((coefficient, k) => coefficient * (degree - k));
  }
  const reversed = derivative.toReversed();
  let root = start;
  for (let i = 0; i < 4; i++) {
    const { re, im } = logarithmicDerivative(derivative, reversed, root);
    if (re === 0 && im === 0) break;
    root = subtract(root, divide(ONE, { re, im }));
  }
  return start.im === 0 ? { re: root.re, im: 0 } : root;
}

/**
 * Steps of Weierstrass and Durand-Kerner, z_i ← z_i - p(z_i) / (p_0 Π_{j≠i} (z_i - z_j)): Newton's method for all
 * roots at once on the coefficients, so that they err together. Kept is the set that multiplies out best.
 */
function refineTogether(p: readonly number[], found: Complex[], limit: number): Complex[] {
  let best = found;
  let least = residual(p, found);
  let z = found;
  for (let step = 0; step < 30 && least > limit; step++) {
    z = weierstrassStep(p, z);
    const error = residual(p, z);
    // NaN where two members met: their difference divides.
    if (Number.isNaN(error)) break;
    if (error < least) [best, least] = [z, error];
  }
  return best;
}

function weierstrassStep(p: readonly number[], z: readonly Complex[]): Complex[] {
  const reversed = p.toReversed();
  return z.flatMap((root, i) => {
    if (root.im < 0) return [];
    const inside = magnitude(root) <= 1;
    const { value } = evaluateTwice(inside ? p : reversed, inside ? root : divide(ONE, root));
    // Outside the circle p(z) = z^n q(1/z): a factor z goes with each difference, so that neither overflows.
    let step = inside ? value : multiply(value, root);
    for (const [j, other] of z.entries()) {
      if (j !== i) step = multiply(step, divide(inside ? ONE : root, subtract(root, other)));
    }
    const moved = subtract(root, { re: step.re / p[0], im: step.im / p[0] });
    return root.im === 0 ? [{ re: moved.re, im: 0 }] : [moved, conjugate(moved)];
  });
}

/** How far Π (x - z_i) is from p/p_0: the worst coefficient, relative to Π (x + |z_i|), which bounds its terms. */
function residual(p: readonly number[], z: readonly Complex[]): number {
  const product = polynomialFromRoots(z);
  const size = polynomialFromRoots(z.map((root) => ({ re: -magnitude(root), im: 0 })));
  return Math.max(...p.map((coefficient, k) => Math.abs(coefficient / p[0] - product[k]) / size[k]));
}
