import type { BiquadType, FilterFamily, FilterType } from '../../filters/index.ts';
import type { ModelOptions, RunOptions } from './options.ts';

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
