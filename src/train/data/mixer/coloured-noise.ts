import { ArgumentError } from '../../../errors.ts';
import { biquad } from '../../../filters/biquad.ts';
import type { Random } from '../../../init/random.ts';
import { filterInPlace } from './equalise.ts';
import { scale } from './level.ts';

/** Noises that are computed rather than recorded. */
export type NoiseColour = 'white' | 'pink' | 'brown' | 'hum' | 'modulated' | 'rumble';

/** What a colour is made of: `frames` numbers at `sampleRate` Hz, of no level in particular. */
type Maker = (frames: number, sampleRate: number, draws: Random) => Float32Array;

/** Sum of four uniform numbers of 16 bits, −2 … 2: near enough to normal for noise, and four times as fast. */
const bell = (draws: Random): number => {
  const [a, b] = [draws.uint32(), draws.uint32()];
  return ((a >>> 16) + (a & 0xffff) + (b >>> 16) + (b & 0xffff)) / 65_536 - 2;
};

const white: Maker = (frames, _rate, draws) => {
  const out = new Float32Array(frames);
  for (let i = 0; i < frames; i++) out[i] = bell(draws);
  return out;
};

/**
 * −3 dB an octave: white noise through one-pole low-passes whose corners are two octaves apart, summed with gains that
 * make 1/√f (a construction as in Voss and Clarke, "1/f noise in music", J. Acoust. Soc. Am. 63, 1978, with filters
 * instead of dice).
 */
const pink: Maker = (frames, sampleRate, draws) => {
  const corners: number[] = [];
  for (let f = 10; f < sampleRate / 2; f *= 4) corners.push(f);
  const poles = corners.map((f) => Math.exp((-2 * Math.PI * f) / sampleRate));
  const gains = corners.map((f, i) => (1 - poles[i]!) * Math.sqrt(sampleRate / f));
  const states = new Float64Array(corners.length);
  const out = new Float32Array(frames);
  for (let k = 0; k < frames; k++) {
    const u = bell(draws);
    let sum = 0;
    for (let i = 0; i < states.length; i++) {
      states[i] = poles[i]! * states[i]! + gains[i]! * u;
      sum += states[i]!;
    }
    out[k] = sum;
  }
  return out;
};

/** −6 dB an octave above 20 Hz. */
const brown: Maker = (frames, sampleRate, draws) => {
  const pole = Math.exp((-2 * Math.PI * 20) / sampleRate);
  const out = new Float32Array(frames);
  let x = 0;
  for (let k = 0; k < frames; k++) out[k] = x = pole * x + bell(draws);
  return out;
};

/** Mains at 50 or 60 Hz, half a per cent off at most, with harmonics that fall off, over a floor 40 dB below. */
const hum: Maker = (frames, sampleRate, draws) => {
  const mains = (draws.integer(2) === 0 ? 50 : 60) * draws.uniform(0.995, 1.005);
  const slope = draws.uniform(0.5, 1.5);
  const out = new Float32Array(frames);
  for (let harmonic = 1; harmonic <= 24 && harmonic * mains < 0.45 * sampleRate; harmonic++) {
    const amplitude = draws.uniform(0.2, 1) * harmonic ** -slope;
    const phase = draws.uniform(0, 2 * Math.PI);
    // y[k] = 2 cos(ω) y[k−1] − y[k−2]
    const omega = (2 * Math.PI * harmonic * mains) / sampleRate;
    const twice = 2 * Math.cos(omega);
    let [before, now] = [amplitude * Math.sin(phase - omega), amplitude * Math.sin(phase)];
    for (let k = 0; k < frames; k++) {
      out[k] = out[k]! + now;
      [before, now] = [now, twice * now - before];
    }
  }
  for (let k = 0; k < frames; k++) out[k] = out[k]! + 0.01 * bell(draws);
  return out;
};

/** Noise of one of the three spectra whose level swings by up to 20 dB, 0.5 to 12 times a second, irregularly. */
const modulated: Maker = (frames, sampleRate, draws) => {
  const out = [white, pink, brown][draws.integer(3)]!(frames, sampleRate, draws);
  const rate = 0.5 * 24 ** draws.uniform();
  const depth = draws.uniform(0.5, 1);
  const step = Math.max(1, Math.round(sampleRate / rate / 2));
  let from = draws.uniform(-1, 1);
  for (let at = 0; at < frames; at += step) {
    const to = draws.uniform(-1, 1);
    for (let k = at; k < Math.min(frames, at + step); k++) {
      const share = 0.5 - 0.5 * Math.cos((Math.PI * (k - at)) / step);
      out[k] = out[k]! * 10 ** (depth * 0.5 * (from + (to - from) * share));
    }
    from = to;
  }
  return out;
};

/** What wind, traffic and hands on a microphone make: a resonance at 6 to 40 Hz, −12 dB an octave above it. */
const rumble: Maker = (frames, sampleRate, draws) => {
  const frequency = 6 * (40 / 6) ** draws.uniform();
  const out = white(frames, sampleRate, draws);
  // The peak is given in dB.
  filterInPlace(out, [biquad({ type: 'lowpass', sampleRate, frequency, Q: draws.uniform(0, 6) })]);
  // So little of white noise lies so low that it would be much fainter than the other colours.
  return scale(out, 32);
};

const MAKERS: Readonly<Record<NoiseColour, Maker>> = { white, pink, brown, hum, modulated, rumble };

export const NOISE_COLOURS = Object.keys(MAKERS) as readonly NoiseColour[];

/**
 * Noise of a colour, of no level in particular.
 *
 * @example colouredNoise('pink', 16_000, 16_000, drawsAt(1))
 */
export function colouredNoise(
  colour: NoiseColour,
  frames: number,
  sampleRate: number,
  draws: Random,
): Float32Array {
  if (!Object.hasOwn(MAKERS, colour)) {
    throw new ArgumentError(`noise '${colour}' is none of ${NOISE_COLOURS.join(', ')}`);
  }
  return MAKERS[colour](frames, sampleRate, draws);
}
