import { ArgumentError } from '../../errors.ts';
import { sosInitialState, type Section } from '../../filters/index.ts';
import { lti, type LtiOptions, type LtiSystem } from '../../layers/lti.ts';
import { compile } from '../../stream/index.ts';
import type { Extra, Family, Run, Way } from '../case.ts';
import type { Golden } from '../golden.ts';
import { block } from '../ways/block.ts';
import { table } from '../ways/table.ts';

/**
 * scipy's digital filters in three forms: second-order sections, which keep their precision; b and a, and A, B,
 * C, D in controller canonical form, which lose theirs. The latter are to be refused in float32.
 */
export const filtersFamily: Family = {
  name: 'filters',
  matches: ({ source, has }) => source === 'scipy.signal' && has('sos'),
  open(golden, settings) {
    const { sections, transfer, matrices } = forms(golden);
    const run = (system: LtiSystem, precision: Run['precision']): Way =>
      block({
        golden,
        settings,
        runs: [
          {
            model: lti(system),
            parameters: {},
            inputs: { input: 'input' },
            outputs: { output: 'output' },
            precision,
          },
        ],
      });
    const tolerance = golden.ways.get('sos.float64') ?? 0;
    const impulse = (): ArrayLike<number> => {
      const length = golden.tensor('impulse').values.length;
      const stream = compile(lti({ sections }), {}, { backend: settings.backend, precision: 'float64' });
      return stream.push(new Float64Array(length).fill(1, 0, 1));
    };
    return {
      given: ['sos', 'b', 'a', 'A', 'B', 'C', 'D'],
      ways: {
        'sos.float64': run({ sections }, 'float64'),
        'sos.float32': run({ sections }, 'float32'),
        'ba.float64': run(transfer, 'float64'),
        'abcd.float64': run(matrices, 'float64'),
      },
      extras: {
        'ba.float32.refused': refused(transfer, { arithmetic: 'signal' }),
        'abcd.float32.refused': refused(matrices, { arithmetic: 'signal' }),
        impulse: { ...table(golden, [{ tensor: 'impulse', values: impulse }]), tolerance },
        zi: {
          ...table(golden, [{ tensor: 'zi', values: () => sosInitialState(sections).flat() }]),
          tolerance,
        },
      },
    };
  },
};

/** The refusal of a form that would be wrong in float32: 0 where it comes, infinite where it does not. */
const refused = (system: LtiSystem, options: LtiOptions): Extra => ({
  tensors: [],
  tolerance: 0,
  measure() {
    try {
      lti(system, options);
    } catch (error) {
      if (error instanceof ArgumentError) return { error: 0, place: '' };
      throw error;
    }
    return { error: Infinity, place: 'the form was taken, though its coefficients do not survive float32' };
  },
});

function forms(golden: Golden): { sections: Section[]; transfer: LtiSystem; matrices: LtiSystem } {
  const rows = (name: string): number[][] => {
    const { shape, values } = golden.tensor(name);
    return Array.from({ length: shape[0] }, (_, i) =>
      Array.from(values.subarray(i * shape[1], (i + 1) * shape[1])),
    );
  };
  const list = (name: string): number[] => [...golden.tensor(name).values];
  return {
    sections: rows('sos') as unknown as Section[],
    transfer: { b: list('b'), a: list('a') },
    matrices: { A: rows('A'), B: rows('B'), C: rows('C'), D: rows('D') },
  };
}
