import { ArgumentError } from '../../../errors.ts';
import type { Random } from '../../../init/random.ts';
import { atSpeed } from '../augment.ts';
import type { Recordings } from '../recordings/recordings.ts';
import { colouredNoise, NOISE_COLOURS, type NoiseColour } from './coloured-noise.ts';
import { activeLevel, addScaled } from './level.ts';
import { exactly, type Voices } from './voices.ts';

/** Recorded noise, and how likely it is beside other sets. */
export interface NoiseSet {
  readonly recordings: Recordings;
  /** 1 by default. */
  readonly weight?: number | undefined;
}

export interface NoisesOptions {
  readonly recorded: readonly NoiseSet[];
  readonly voices: Voices;
  readonly sampleRate: number;
  /** How likely recorded noise, babble and synthetic noise are, relative to one another. */
  readonly weights: { readonly recorded: number; readonly babble: number; readonly synthetic: number };
  readonly colours?: readonly NoiseColour[];
  /** Voices of a babble, fewest and most. */
  readonly babble: readonly [number, number];
  readonly speeds: readonly number[];
}

/** Seconds in which one piece of noise goes over to the next. */
const CROSSFADE = 0.05;

/**
 * Draws noise of a level that is not 0.
 *
 * @returns a function from a number of frames to noise, of no level in particular.
 */
export function noisesOf(options: NoisesOptions): (frames: number, draws: Random) => Float32Array {
  const { recorded, voices, sampleRate, weights, babble, speeds, colours = NOISE_COLOURS } = options;
  if (recorded.length === 0 && weights.recorded > 0 && weights.babble + weights.synthetic === 0) {
    throw new ArgumentError('noise: no recordings, and neither babble nor synthetic noise; give one of them');
  }
  const fade = Math.round(CROSSFADE * sampleRate);

  const fromRecording = (frames: number, draws: Random): Float32Array => {
    const { recordings } =
      recorded[
        pick(
          recorded.map(({ weight = 1 }) => weight),
          draws,
        )
      ]!;
    const file = draws.integer(recordings.list.length);
    const there = recordings.list[file]!.frames;
    const speed = speeds[draws.integer(speeds.length)]!;
    const wanted = Math.ceil(frames * Math.round(speed * 100) * 0.01);
    const out = new Float32Array(wanted);
    // A recording that is too short follows on itself.
    for (let at = 0; at < wanted;) {
      const start = draws.integer(Math.max(1, there - (wanted - at) + 1));
      const count = Math.min(wanted - at, there - start);
      const piece = recordings.read(file, start, count);
      const over = at === 0 ? 0 : Math.min(fade, count, at);
      for (let i = 0; i < over; i++) {
        const share = (i + 0.5) / over;
        out[at - over + i] = out[at - over + i]! * Math.sqrt(1 - share) + piece[i]! * Math.sqrt(share);
      }
      out.set(piece.subarray(over), at);
      at += Math.max(1, count - over);
    }
    return exactly(frames, atSpeed(out, 1, speed));
  };

  const fromVoices = (frames: number, draws: Random): Float32Array => {
    const out = new Float32Array(frames);
    const count = babble[0] + draws.integer(babble[1] - babble[0] + 1);
    for (let i = 0; i < count; i++) {
      const voice = voices.speak(frames, draws, true);
      const level = activeLevel(voice, sampleRate);
      if (level > 0) addScaled(out, voice, 10 ** (draws.uniform(-6, 6) / 20) / level);
    }
    return out;
  };

  const kinds = [
    { weight: recorded.length === 0 ? 0 : weights.recorded, make: fromRecording },
    { weight: weights.babble, make: fromVoices },
    {
      weight: weights.synthetic,
      make: (frames: number, draws: Random) =>
        colouredNoise(colours[draws.integer(colours.length)]!, frames, sampleRate, draws),
    },
  ];
  return (frames, draws) => {
    for (let tries = 0; tries < 4; tries++) {
      const noise = kinds[
        pick(
          kinds.map(({ weight }) => weight),
          draws,
        )
      ]!.make(frames, draws);
      if (activeLevel(noise, sampleRate) > 0) return noise;
    }
    // Recordings with long silences.
    return colouredNoise('pink', frames, sampleRate, draws);
  };
}

/** The number of one of several, as likely as its weight says. @throws ArgumentError where all weights are 0. */
export function pick(weights: readonly number[], draws: Random): number {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (!(total > 0)) throw new ArgumentError(`weights: ${weights.join(', ')}; one has to be above 0`);
  let at = draws.uniform(0, total);
  for (let i = 0; i < weights.length; i++) {
    at -= weights[i]!;
    if (at < 0) return i;
  }
  return weights.findLastIndex((weight) => weight > 0);
}
