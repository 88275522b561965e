/**
 * One signal through two filters at once.
 *
 * | symbol | meaning | shape |
 * | --- | --- | --- |
 * | x | signal | frames |
 * | g, h | impulse responses | taps each |
 * | N | length of the transform | power of two, ≥ 2 · taps |
 *
 * The filters go through one complex transform, since x is real: x * (g + i h) has x * g as its real and x * h as its
 * imaginary part. Overlap-save: blocks of N frames, of each of which N − taps + 1 results are good (Oppenheim and
 * Schafer, "Discrete-Time Signal Processing", section 8.7.3).
 */
import FFT from 'fft.js';

const plans = new Map<number, FFT>();
const planOf = (size: number): FFT => {
  let plan = plans.get(size);
  if (plan === undefined) plans.set(size, (plan = new FFT(size)));
  return plan;
};

/**
 * x * g and x * h, both of the length of x: what lasts longer is cut off.
 *
 * @example const [wet, early] = convolveTwo(speech, response, itsBeginning);
 */
export function convolveTwo(
  x: Float32Array,
  g: Float32Array,
  h: Float32Array,
): [first: Float32Array, second: Float32Array] {
  const taps = Math.max(g.length, h.length, 1);
  let size = 1024;
  // Twice the filter at least; four times costs least for one of some thousands.
  while (size < 2.5 * taps) size *= 2;
  const fft = planOf(size);
  const kernel = new Float64Array(2 * size);
  for (let i = 0; i < g.length; i++) kernel[2 * i] = g[i]!;
  for (let i = 0; i < h.length; i++) kernel[2 * i + 1] = h[i]!;
  const filter = new Float64Array(2 * size);
  fft.transform(filter, kernel);

  const step = size - taps + 1;
  const block = new Float64Array(2 * size);
  const spectrum = new Float64Array(2 * size);
  const [first, second] = [new Float32Array(x.length), new Float32Array(x.length)];
  for (let at = 0; at < x.length; at += step) {
    for (let i = 0; i < size; i++) {
      const from = at + i - taps + 1;
      block[2 * i] = from >= 0 && from < x.length ? x[from]! : 0;
      block[2 * i + 1] = 0;
    }
    fft.transform(spectrum, block);
    for (let i = 0; i < 2 * size; i += 2) {
      const re = spectrum[i]! * filter[i]! - spectrum[i + 1]! * filter[i + 1]!;
      spectrum[i + 1] = spectrum[i]! * filter[i + 1]! + spectrum[i + 1]! * filter[i]!;
      spectrum[i] = re;
    }
    fft.inverseTransform(block, spectrum);
    const count = Math.min(step, x.length - at);
    for (let i = 0; i < count; i++) {
      first[at + i] = block[2 * (i + taps - 1)]!;
      second[at + i] = block[2 * (i + taps - 1) + 1]!;
    }
  }
  return [first, second];
}
