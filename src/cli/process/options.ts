import type { WavEncoding } from '../../audio/index.ts';
import type { BiquadType, FilterFamily, FilterType } from '../../filters/index.ts';
import type { Precision } from '../../signal/index.ts';
import type { NonFinitePolicy } from '../../stream/index.ts';

/** How samples may be written. */
export const ENCODINGS = ['pcm8', 'pcm16', 'pcm24', 'pcm32', 'float32', 'float64'] as const;

/** Bare samples by the names that ffmpeg and sox have for them. */
export const RAW_FORMATS = ['u8', 's16le', 's24le', 's32le', 'f32le', 'f64le'] as const;

/** The command line of `process`, as commander parses it. */
export interface ProcessOptions {
  readonly model?: string;
  readonly format?: string;
  readonly config?: string;
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
  readonly mono?: boolean;
  readonly resample?: boolean;
  readonly block: number;
  readonly precision: Precision;
  readonly backend?: 'reference' | 'wasm';
  readonly nonfinite: NonFinitePolicy;
  readonly encoding?: WavEncoding;
  readonly float?: boolean;
  readonly dither?: boolean;
  readonly gain?: number;
  readonly raw?: (typeof RAW_FORMATS)[number];
  readonly rate?: number;
  readonly channels?: number;
  readonly json?: boolean;
}
