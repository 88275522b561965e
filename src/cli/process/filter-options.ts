import type { Command } from 'commander';
import type { BiquadType, FilterFamily, FilterType } from '../../filters/index.ts';
import { numbers, oneOf, positive, wholeUpTo, words } from '../support/options.ts';
import type { ModelOptions, RunOptions } from './options.ts';

const FILTERS = ['lowpass', 'highpass', 'bandpass', 'bandstop'];
const FAMILIES = ['butterworth', 'chebyshev1', 'chebyshev2', 'elliptic', 'bessel'];
const BIQUADS = [
  'lowpass',
  'highpass',
  'bandpass',
  'notch',
  'allpass',
  'peaking',
  'lowshelf',
  'highshelf',
] as const;

/** The command line of `process`, as commander parses it: a checkpoint or filters. */
export interface ProcessOptions extends ModelOptions, RunOptions {
  readonly filter?: FilterType;
  readonly cutoff?: readonly number[];
  readonly family?: FilterFamily;
  readonly order?: number;
  readonly ripple?: number;
  readonly attenuation?: number;
  readonly biquad?: readonly BiquadType[];
  readonly frequency?: readonly number[];
  readonly q?: readonly number[];
  readonly boost?: readonly number[];
}

/** Classical filters, one behind the other. */
export const withFilterOptions = (command: Command): Command =>
  command
    .addOption(oneOf('--filter <type>', 'a classical filter', FILTERS))
    .option('--cutoff <hz>', 'its edge, or two for a band: 300,3400', numbers)
    .addOption(oneOf('--family <name>', 'its family (default: butterworth)', FAMILIES))
    .option('--order <n>', 'its order (default: 4); bands have twice as many poles', wholeUpTo(64))
    .option('--ripple <dB>', 'of the pass band: chebyshev1, elliptic', positive)
    .option('--attenuation <dB>', 'of the stop band: chebyshev2, elliptic', positive)
    .option(
      '--biquad <type>',
      `one of ${BIQUADS.join(', ')}; several by a list or by repeating, and behind --filter if both are given`,
      words(BIQUADS),
    )
    .option('--frequency <hz>', 'of each biquad, or of all', numbers)
    .option('--q <q>', 'of each biquad, or of all (default: 1; dB for lowpass and highpass)', numbers)
    .option('--boost <dB>', 'of each peaking or shelving biquad, or of all', numbers);
