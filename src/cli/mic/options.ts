import type { ResampleQuality, WavEncoding } from '../../audio/index.ts';
import type { Precision } from '../../signal/index.ts';
import { UsageError } from '../support/failure.ts';
import type { ProcessOptions } from '../process/filter-options.ts';

/** What the model is made of. */
type Chosen = Pick<
  ProcessOptions,
  | 'model'
  | 'format'
  | 'config'
  | 'root'
  | 'filter'
  | 'cutoff'
  | 'family'
  | 'order'
  | 'ripple'
  | 'attenuation'
  | 'biquad'
  | 'frequency'
  | 'q'
  | 'boost'
>;

/** The command line of `mic`, as commander parses it. */
export interface MicOptions extends Chosen {
  readonly device?: string;
  readonly speaker?: string;
  readonly listDevices?: boolean;
  readonly input?: string;
  readonly output?: readonly string[];
  readonly encoding: WavEncoding;
  readonly channels: number;
  readonly mono?: boolean;
  readonly rate?: number;
  readonly seconds?: number;
  /** Milliseconds. */
  readonly buffer: number;
  readonly quality: ResampleQuality;
  readonly resample: boolean;
  readonly precision: Precision;
  readonly fast?: boolean;
  readonly measureLatency?: boolean;
  readonly json?: boolean;
}

/** Where the output goes. */
export interface Destinations {
  readonly speaker: string | undefined;
  readonly file: string | undefined;
}

export const usage = (message: string): never => {
  throw new UsageError('mic', message);
};

/**
 * What `--output` asks for.
 *
 * @throws UsageError for options that contradict each other.
 */
export function destinations(options: MicOptions): Destinations {
  const { output = options.fast === true ? ['none'] : ['speaker'], fast = false, input, speaker } = options;
  const files = output.filter((one) => one !== 'speaker' && one !== 'none');
  const plays = output.includes('speaker');
  if (plays && output.includes('none')) usage('--output is speaker and none; give one.');
  if (files.length > 1) usage(`--output names ${files.length} files; one is written.`);
  if (files[0] === '-') usage('--output - is not for live sound; write a file, or use statewave process.');
  if (fast && input === undefined) usage('--fast needs --input: a microphone has its own pace.');
  if (fast && plays) usage('--fast plays nothing; leave --output speaker out.');
  if (fast && options.measureLatency === true) usage('--fast has no latency to measure; leave one out.');
  if (!plays && speaker !== undefined) usage('--speaker needs --output speaker.');
  if (input !== undefined && options.device !== undefined) usage('--input and --device: give one.');
  if (input === '-') usage('--input is a file; for a pipe there is statewave process.');
  return { speaker: plays ? (speaker ?? 'default') : undefined, file: files[0] };
}
