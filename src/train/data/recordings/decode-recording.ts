import { openAudio } from '../../../audio/open-audio.ts';
import { createResampler } from '../../../audio/resample.ts';
import { ArgumentError, FormatError } from '../../../errors.ts';

export interface DecodeOptions {
  /** Hz; recordings at another rate are resampled. */
  readonly sampleRate: number;
  /** Channels of the result; 1 by default. */
  readonly channels?: number | undefined;
  /** What becomes of more channels than one where one is asked for; their mean by default. */
  readonly downmix?: 'mean' | 'first' | undefined;
  /** Recordings at another rate: `resample` (default), or `throw`. */
  readonly otherRates?: 'resample' | 'throw' | undefined;
}

/**
 * A recording at our rate and number of channels, block by block: frames × channels, time-major.
 *
 * @throws FormatError for a damaged file, ArgumentError for one that is missing or does not fit.
 */
export async function* decodeRecording(
  path: string,
  { sampleRate, channels = 1, downmix = 'mean', otherRates = 'resample' }: DecodeOptions,
): AsyncGenerator<Float32Array, void, void> {
  const audio = await openAudio(path);
  const { info } = audio;
  const refuse = async (message: string): Promise<never> => {
    await audio.close();
    throw new ArgumentError(`${path}: ${message}`);
  };
  if (info.channels !== channels && channels !== 1) {
    await refuse(`${info.channels} channels where ${channels} are asked for; ask for 1 or ${info.channels}`);
  }
  if (info.sampleRate !== sampleRate && otherRates === 'throw') {
    await refuse(
      `${info.sampleRate} Hz where ${sampleRate} Hz are asked for; convert it, or let it be resampled (otherRates: 'resample')`,
    );
  }
  const mix = info.channels === channels ? undefined : downmix;
  const resampler = createResampler({ from: info.sampleRate, to: sampleRate, channels });
  for await (const block of audio.blocks()) {
    const out = resampler.process(mix === undefined ? block : oneOf(block, info.channels, mix));
    for (let i = 0; i < out.length; i++) {
      if (!Number.isFinite(out[i])) {
        throw new FormatError(`${path}: holds a sample that is ${out[i]}; fetch it again, or skip it`);
      }
    }
    if (out.length > 0) yield out;
  }
  const rest = resampler.end();
  if (rest.length > 0) yield rest;
}

function oneOf(block: Float32Array, channels: number, mix: 'mean' | 'first'): Float32Array {
  const out = new Float32Array(block.length / channels);
  for (let i = 0; i < out.length; i++) {
    let sum = block[i * channels]!;
    if (mix === 'mean') {
      for (let c = 1; c < channels; c++) sum += block[i * channels + c]!;
      sum /= channels;
    }
    out[i] = sum;
  }
  return out;
}
