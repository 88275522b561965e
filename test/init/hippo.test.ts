import { describe, expect, it } from 'vitest';
import { ArgumentError } from '../../src/errors.ts';
import { hippo, hippoEigen, hippoMeasures, nplr, rankCorrection } from '../../src/init/index.ts';
import type { HippoMeasure } from '../../src/init/index.ts';
import { adjoint, complexMatmul, complexZeros } from '../../src/linalg/index.ts';
import type { Complex } from '../../src/linalg/index.ts';
import { expectClose } from '../support/close.ts';
import { goldenFiles } from '../support/golden-files.ts';
import { readSafetensors } from '../support/read-safetensors.ts';

const modulus = ({ re, im }: Complex): Float64Array => re.map((value, i) => Math.hypot(value, im[i]));
const interleaved = ({ re, im }: Complex): number[] => Array.from(re, (value, i) => [value, im[i]]).flat();

describe.each(goldenFiles('hippo'))('state-spaces/s4 hippo $name', ({ path }) => {
  const file = readSafetensors(path);
  const { N } = JSON.parse(file.metadata.config) as { N: number };
  const { table } = JSON.parse(file.metadata.ways) as { table: number };

  it.each(hippoMeasures)('%s: transition', (measure) => {
    const { A, B } = hippo(measure, N);
    expectClose(A, file.values(`${measure}.A`), table);
    expectClose(B, file.values(`${measure}.B`), table);
  });

  it.each(hippoMeasures)('%s: eigenvalues, |P|, |B|', (measure) => {
    const { W, P, B } = nplr(measure, N);
    const expected = file.values(`${measure}.nplr.W`);
    // Absolutely, as the file's note says: the Fourier measure has an eigenvalue near 0.
    interleaved(W).forEach((value, i) => expect(Math.abs(value - expected[i]), `W ${i}`).toBeLessThan(table));
    expectClose(modulus(P), file.values(`${measure}.nplr.abs_P`), table, '|P|');
    expectClose(modulus(B), file.values(`${measure}.nplr.abs_B`), table, '|B|');
  });
});

/** V diag(W) V* + conj − P Pᵀ: the HiPPO matrix again, from one of each conjugate pair. */
function assembled(measure: HippoMeasure, n: number): { A: Float64Array; B: Float64Array } {
  const { W, P, B, V } = nplr(measure, n, { bClip: Infinity });
  const half = n / 2;
  const M = complexZeros(half * half);
  const rank = P.re.length / half;
  for (let i = 0; i < half; i++) {
    M.re[i * half + i] = W.re[i];
    M.im[i * half + i] = W.im[i];
  }
  const normal = complexMatmul(complexMatmul(V, M, n, half, half), adjoint(V, n, half), n, half, n).re;
  const A = normal.map((value) => 2 * value);
  for (let r = 0; r < rank; r++) {
    const column = { re: P.re.slice(r * half, (r + 1) * half), im: P.im.slice(r * half, (r + 1) * half) };
    const p = complexMatmul(V, column, n, half, 1).re.map((value) => 2 * value);
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) A[i * n + j] -= p[i] * p[j];
  }
  return { A, B: complexMatmul(V, B, n, half, 1).re.map((value) => 2 * value) };
}

describe('nplr', () => {
  it.each(['legs', 'legt', 'fourier'] as const)('%s: gives A and B again, N 2 to 64', (measure) => {
    for (const n of [2, 4, 6, 16, 64]) {
      const { A, B } = hippo(measure, n);
      const again = assembled(measure, n);
      expectClose(again.A, A, 1e-12, `A, N ${n}`);
      expectClose(again.B, B, 1e-12, `B, N ${n}`);
    }
  });

  it('keeps Im ≤ 0, ascending, with the known real parts', () => {
    const real = { legs: -0.5, legt: 0, fourier: 0 };
    for (const measure of hippoMeasures) {
      const { W } = nplr(measure, 32);
      for (let i = 0; i < 16; i++) {
        expect(Math.abs(W.re[i] - real[measure])).toBeLessThan(1e-13);
        expect(W.im[i]).toBeLessThanOrEqual(0);
        if (i > 0) expect(W.im[i]).toBeGreaterThan(W.im[i - 1]);
      }
    }
    // The Fourier measure's are the half-turns themselves.
    expectClose(
      nplr('fourier', 8).W.im,
      [-3, -2, -1, 0].map((k) => k * Math.PI),
      1e-15,
    );
  });

  it('clips the imaginary part of B where it exceeds the bound, and nowhere else', () => {
    const free = nplr('legs', 16, { bClip: Infinity }).B;
    const clipped = nplr('legs', 16).B;
    expect(Math.max(...free.im.map(Math.abs))).toBeGreaterThan(2);
    expect(clipped.re).toEqual(free.re);
    clipped.im.forEach((value, i) => expect(value).toBe(Math.max(-2, Math.min(2, free.im[i]))));
  });

  it('pads a larger rank with zeros', () => {
    const { P } = nplr('legs', 8, { rank: 2 });
    expect(P.re.length).toBe(8);
    expectClose(P.re.slice(0, 4), nplr('legs', 8).P.re, 0);
    expect([...P.re.subarray(4), ...P.im.subarray(4)].map(Math.abs)).toEqual(new Array(8).fill(0));
  });

  it('refuses what has no such form', () => {
    expect(() => nplr('legs', 7)).toThrow(ArgumentError);
    expect(() => nplr('legs', 0)).toThrow(/0 states/);
    expect(() => nplr('legt', 8, { rank: 1 })).toThrow(/rank 1 for measure 'legt'.*at least 2/);
    expect(() => hippo('lagt' as HippoMeasure, 8)).toThrow(
      /'lagt' is unknown; use one of legs, legt, fourier/,
    );
    expect(() => hippo('constructor' as HippoMeasure, 8)).toThrow(ArgumentError);
  });
});

describe('hippoEigen', () => {
  it('diagonalises the normal part at N = 256 to 1e-13, in less than 2 s', () => {
    const n = 256;
    const started = performance.now();
    const { W, V } = hippoEigen('legs', n);
    expect(performance.now() - started).toBeLessThan(2000);

    const { A } = hippo('legs', n);
    const P = rankCorrection('legs', n);
    const normal = complexZeros(n * n);
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) normal.re[i * n + j] = A[i * n + j] + P[i] * P[j];
    const left = complexMatmul(normal, V, n, n, n);
    const peak = Math.max(...W.im);
    let [worst, unitary] = [0, 0];
    const VV = complexMatmul(adjoint(V, n, n), V, n, n, n);
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) {
        const at = i * n + j;
        const re = W.re[j] * V.re[at] - W.im[j] * V.im[at];
        const im = W.re[j] * V.im[at] + W.im[j] * V.re[at];
        worst = Math.max(worst, Math.hypot(left.re[at] - re, left.im[at] - im) / peak);
        unitary = Math.max(unitary, Math.hypot(VV.re[at] - (i === j ? 1 : 0), VV.im[at]));
      }
    expect(worst).toBeLessThan(1e-13);
    expect(unitary).toBeLessThan(1e-13);
  });

  it('comes in conjugate pairs, the second half mirroring the first', () => {
    const n = 16;
    const { W, V } = hippoEigen('legs', n);
    for (let j = 0; j < n / 2; j++) {
      const mirror = n - 1 - j;
      expect(Math.abs(W.im[j] + W.im[mirror])).toBeLessThan(1e-12);
      for (let i = 0; i < n; i++) {
        expect(Math.abs(V.re[i * n + j] - V.re[i * n + mirror])).toBeLessThan(1e-12);
        expect(Math.abs(V.im[i * n + j] + V.im[i * n + mirror])).toBeLessThan(1e-12);
      }
    }
  });
});
