import { hippo, hippoMeasures, nplr, s4d, s4dInits, type Nplr } from '../../init/index.ts';
import { FormatError } from '../../errors.ts';
import type { Family } from '../case.ts';
import { table, type Entry } from '../ways/table.ts';

/**
 * state-spaces/s4's initialisations: HiPPO matrices, their low-rank form, S4D. Complex tensors have a last axis
 * (re, im). Eigenvectors have a phase of their own choice, so that of P and B the modulus is compared; W
 * absolutely, since the Fourier measure has an eigenvalue near 0.
 */
export const hippoFamily: Family = {
  name: 'hippo',
  matches: ({ source, kinds }) =>
    kinds.includes('table') && source.startsWith('state-spaces/s4 models/s4/s4.py transition'),
  open(golden) {
    const { N: n } = golden.config;
    if (typeof n !== 'number')
      throw new FormatError(`${golden.path}: config "N" is ${String(n)}; it has to be the number of states`);
    const entries: Entry[] = [
      ...hippoMeasures.flatMap((measure): Entry[] => [
        { tensor: `${measure}.A`, values: () => hippo(measure, n).A },
        { tensor: `${measure}.B`, values: () => hippo(measure, n).B },
        { tensor: `${measure}.nplr.W`, values: () => pairs(nplr(measure, n).W), scale: 'absolute' },
        { tensor: `${measure}.nplr.abs_P`, values: () => modulus(nplr(measure, n).P) },
        { tensor: `${measure}.nplr.abs_B`, values: () => modulus(nplr(measure, n).B) },
      ]),
      ...s4dInits.flatMap((init): Entry[] => [
        { tensor: `s4d-${init}.A`, values: () => pairs(s4d(init, n).A) },
        init === 'legs'
          ? { tensor: 's4d-legs.B', values: () => modulus(s4d(init, n).B), official: moduli }
          : { tensor: `s4d-${init}.B`, values: () => pairs(s4d(init, n).B) },
      ]),
    ];
    return { ways: { table: table(golden, entries) } };
  },
};

/** Real and imaginary parts. */
type Complex = Nplr['W'];

const pairs = ({ re, im }: Complex): number[] => Array.from(re, (value, i) => [value, im[i]]).flat();

const modulus = ({ re, im }: Complex): Float64Array => re.map((value, i) => Math.hypot(value, im[i]));

/** |z| of (re, im) pairs. */
const moduli = (values: Float64Array): number[] =>
  Array.from({ length: values.length / 2 }, (_, i) => Math.hypot(values[2 * i], values[2 * i + 1]));
