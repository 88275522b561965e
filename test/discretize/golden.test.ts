import { describe, expect, it } from 'vitest';
import { discretizationByName, discretize, gbt } from '../../src/discretize/index.ts';
import type { Discretization, StateSpace } from '../../src/discretize/index.ts';
import { expectClose } from '../support/close.ts';
import { dlsim } from '../support/dlsim.ts';
import { goldenFiles } from '../support/golden-files.ts';
import { readSafetensors } from '../support/read-safetensors.ts';

/** scipy's names of the methods in the golden files, and ours. */
const methods = (alpha: number): Record<string, Discretization> => ({
  zoh: discretizationByName('zoh'),
  foh: discretizationByName('foh'),
  impulse: discretizationByName('impulse'),
  gbt: gbt(alpha),
  euler: discretizationByName('euler'),
  backward_diff: discretizationByName('backward-difference'),
  bilinear: discretizationByName('bilinear'),
});

describe.each(goldenFiles('discretize'))('scipy cont2discrete $name', ({ path }) => {
  const file = readSafetensors(path);
  const { dt, alpha_gbt, n, m, p } = JSON.parse(file.metadata.config) as Record<string, number>;
  const ways = JSON.parse(file.metadata.ways) as Record<string, number>;
  const system: StateSpace = {
    n,
    inputs: m,
    outputs: p,
    A: file.values('A'),
    B: file.values('B'),
    C: file.values('C'),
    D: file.values('D'),
  };

  it.each(Object.entries(methods(alpha_gbt)))('%s: tables, output, last state', (name, method) => {
    // The files' note: impulse was given D = 0.
    const source = name === 'impulse' ? { ...system, D: new Float64Array(p * m) } : system;
    const discrete = discretize(source, dt, method);
    for (const matrix of ['A', 'B', 'C', 'D'] as const)
      expectClose(discrete[matrix], file.values(`${name}.${matrix}`), ways.table, matrix);
    const { y, last } = dlsim(discrete, file.values('input'));
    expectClose(y, file.values(`${name}.output`), ways.block, 'output');
    expectClose(last, file.values(`${name}.state.last`), ways.block, 'last state');
  });

  it('covers every table that the file has', () => {
    const names = [...file.tensors.keys()].filter((key) => key.endsWith('.A')).map((key) => key.slice(0, -2));
    expect(names.toSorted()).toEqual(Object.keys(methods(alpha_gbt)).toSorted());
  });
});
