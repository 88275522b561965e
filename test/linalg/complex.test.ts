import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ArgumentError } from '../../src/errors.ts';
import { adjoint, complexMatmul, complexPower, complexSolve } from '../../src/linalg/index.ts';
import type { Complex } from '../../src/linalg/index.ts';
import { expectClose } from '../support/close.ts';

const of = (re: number[], im: number[]): Complex => ({
  re: Float64Array.from(re),
  im: Float64Array.from(im),
});

const entries = (length: number): fc.Arbitrary<number[]> =>
  fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: length, maxLength: length });

describe('complex matrices', () => {
  it('multiplies and conjugates', () => {
    const z = of([1], [2]);
    expect(complexMatmul(z, of([3], [-1]), 1, 1, 1)).toEqual(of([5], [5]));
    const M = of([1, 2, 3, 4, 5, 6], [0, 1, 0, -1, 0, 2]);
    expect(adjoint(M, 2, 3)).toEqual(of([1, 4, 2, 5, 3, 6], [-0, 1, -1, -0, -0, -2]));
  });

  it('finds X again from A and A X, with row exchanges', () => {
    const system = fc
      .integer({ min: 1, max: 8 })
      .chain((n) => fc.tuple(fc.constant(n), entries(n * n), entries(n * n), entries(2 * n), entries(2 * n)));
    fc.assert(
      fc.property(system, ([n, re, im, xRe, xIm]) => {
        const A = of(re, im);
        // Dominant entries off the diagonal, turned by 90°.
        for (let i = 0; i < n; i++) A.im[i * n + ((i + 1) % n)] += 2 * n + 1;
        const X = of(xRe, xIm);
        const found = complexSolve(A, complexMatmul(A, X, n, n, 2), n, 2);
        expectClose([...found.re, ...found.im], [...X.re, ...X.im], 1e-13);
      }),
      { seed: 12, numRuns: 200 },
    );
  });

  it('solves where |pivot|² would overflow or vanish', () => {
    for (const scale of [1e200, 1e-200]) {
      const { re, im } = complexSolve(of([3 * scale], [4 * scale]), of([scale], [0]), 1, 1);
      expect(re[0]).toBeCloseTo(0.12, 15);
      expect(im[0]).toBeCloseTo(-0.16, 15);
    }
  });

  it('refuses singular and non-finite matrices', () => {
    expect(() => complexSolve(of([1, 0, 0, -1], [0, 1, 1, 0]), of([1, 1], [0, 0]), 2, 1)).toThrow(
      ArgumentError,
    );
    expect(() => complexSolve(of([NaN], [0]), of([1], [0]), 1, 1)).toThrow(ArgumentError);
  });

  it('raises to powers as often-repeated multiplication does', () => {
    const A = of([0.3, -0.2, 0.5, 0.1], [0.4, 0.6, -0.1, 0.2]);
    let product = of([1, 0, 0, 1], [0, 0, 0, 0]);
    for (let k = 0; k <= 13; k++) {
      const power = complexPower(A, 2, k);
      expectClose([...power.re, ...power.im], [...product.re, ...product.im], 1e-14, `power ${k}`);
      product = complexMatmul(A, product, 2, 2, 2);
    }
    // A rotation by a 2^20th of a turn comes round after 2^20 steps.
    const angle = (2 * Math.PI) / 2 ** 20;
    const turn = complexPower(of([Math.cos(angle)], [Math.sin(angle)]), 1, 2 ** 20);
    expect(Math.hypot(turn.re[0] - 1, turn.im[0])).toBeLessThan(1e-9);
    expect(() => complexPower(A, 2, -1)).toThrow(/exponent is -1/);
    expect(() => complexPower(A, 2, 0.5)).toThrow(ArgumentError);
  });
});
