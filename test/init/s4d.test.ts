import { describe, expect, it } from 'vitest';
import { ArgumentError } from '../../src/errors.ts';
import { s4d, s4dInits } from '../../src/init/index.ts';
import type { S4dInit } from '../../src/init/index.ts';
import type { Complex } from '../../src/linalg/index.ts';
import { expectClose } from '../support/close.ts';
import { goldenFiles } from '../support/golden-files.ts';
import { readSafetensors } from '../support/read-safetensors.ts';

const interleaved = ({ re, im }: Complex): number[] => Array.from(re, (value, i) => [value, im[i]]).flat();
const moduli = (pairs: ArrayLike<number>): number[] =>
  Array.from({ length: pairs.length / 2 }, (_, i) => Math.hypot(pairs[2 * i], pairs[2 * i + 1]));

describe.each(goldenFiles('hippo'))('state-spaces/s4 dplr $name', ({ path }) => {
  const file = readSafetensors(path);
  const { N } = JSON.parse(file.metadata.config) as { N: number };
  const { table } = JSON.parse(file.metadata.ways) as { table: number };

  it.each(s4dInits)('%s', (init) => {
    const { A, B } = s4d(init, N);
    expectClose(interleaved(A), file.values(`s4d-${init}.A`), table, 'A');
    const expected = file.values(`s4d-${init}.B`);
    // The phase of B in legs is the eigenvector solver's: the file's note asks for |B| there.
    if (init === 'legs') expectClose(moduli(interleaved(B)), moduli(expected), table, '|B|');
    else expectClose(interleaved(B), expected, table, 'B');
  });
});

describe('s4d', () => {
  it('has its formulas, N = 6', () => {
    const { PI } = Math;
    expectClose(s4d('lin', 6).A.im, [0, -PI, -2 * PI], 1e-15);
    expectClose(
      s4d('inv', 6).A.im,
      [5, 1, 0.2].map((x) => (-6 / PI) * x),
      1e-15,
    );
    expectClose(s4d('quad', 6).A.im, [-1 / PI, -9 / PI, -25 / PI], 1e-15);
    expect([...s4d('real', 6).A.re]).toEqual([-1, -2, -3]);
    expect([...s4d('real', 6).A.im]).toEqual([0, 0, 0]);
    for (const init of s4dInits)
      expect(
        s4d(init, 6).A.re.every((re) => re < 0),
        init,
      ).toBe(true);
  });

  it('refuses unknown names and odd sizes', () => {
    expect(() => s4d('skew' as S4dInit, 8)).toThrow(ArgumentError);
    expect(() => s4d('skew' as S4dInit, 8)).toThrow(
      /'skew' is unknown; use one of lin, inv, quad, real, legs/,
    );
    expect(() => s4d('lin', 5)).toThrow(/5 states/);
  });
});
