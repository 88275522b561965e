import { createResampler, type ResampleQuality } from '../../src/audio/index.ts';
import type { FloatArray } from '../../src/signal/index.ts';

/** A whole signal of one channel at another rate. */
export function resampled(
  samples: FloatArray,
  from: number,
  to: number,
  quality: ResampleQuality = 'best',
): Float32Array {
  const input = Float32Array.from(samples);
  if (from === to) return input;
  const resampler = createResampler({ from, to, channels: 1, quality });
  return Float32Array.from([...resampler.process(input), ...resampler.end()]);
}
