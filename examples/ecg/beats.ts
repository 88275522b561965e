/**
 * Heartbeats in an electrocardiogram, live: a band-pass, the energy of the slope, and a threshold that follows the beats,
 * after J. Pan, W. J. Tompkins, "A Real-Time QRS Detection Algorithm", IEEE Trans. Biomedical Engineering 32 (1985).
 */
import type { Observable } from 'rxjs';
import { defineLayer, filter, leakyMemory, ops, type FloatArray, type Layer } from 'statewave';
import { operate } from 'statewave/operators';

/** Seconds over which the energy of a beat's slopes is gathered. */
const GATHER = 0.06;
/** Two beats are at least this far apart: the heart is refractory for so long. Seconds. */
const REFRACTORY = 0.25;
/** After so long without a beat one has been missed. Seconds. */
const MISSED = 1.2;

/** The energy of the steep part of a beat (its QRS complex): 5 to 15 Hz, slope, square, average. One number a frame. */
export const steepness = (sampleRate: number): Layer =>
  defineLayer({
    name: 'steepness',
    features: 1,
    sampleRate,
    apply(trace, x) {
      const band = filter({ family: 'butterworth', type: 'bandpass', order: 2, cutoff: [5, 15] });
      const steep = band.apply(trace.scope('band'), x);
      const slope = ops.sub(steep, ops.delay(steep, 2));
      const average = leakyMemory({ features: 1, timeConstants: [GATHER], sampleRate });
      return average.apply(trace.scope('energy'), ops.square(slope));
    },
  });

export interface Beat {
  /** Seconds since the start of the recording. */
  readonly time: number;
  /** Beats a minute, by the time since the beat before; NaN for the first. */
  readonly rate: number;
}

/**
 * Peaks of the energy that stand out: higher than a quarter of the way from the level of the small ones to that of the
 * beats, both followed as they change.
 */
export function beats(sampleRate: number): (source: Observable<FloatArray>) => Observable<Beat> {
  return operate<FloatArray, Beat>(() => {
    let frame = 0;
    let [before, rising] = [0, false];
    let [beat, small] = [0, 0];
    let candidate = { height: 0, frame: -1 };
    // Filters settle before the first beat counts.
    let last = 0;
    let first = true;
    const refractory = REFRACTORY * sampleRate;
    const threshold = (): number => small + (beat - small) / 4;
    return {
      next(block, emit) {
        for (const energy of block) {
          // The first two seconds say what a beat is like.
          if (frame < 2 * sampleRate) beat = Math.max(beat, energy / 2);
          if (rising && energy < before) {
            if (before > candidate.height) candidate = { height: before, frame: frame - 1 };
          }
          rising = energy > before;
          before = energy;
          // The highest peak within the refractory time counts.
          if (candidate.frame >= 0 && frame - candidate.frame > refractory / 2) {
            const { height, frame: at } = candidate;
            if (height > threshold() && at - last > refractory) {
              beat += (height - beat) / 8;
              emit({ time: at / sampleRate, rate: first ? Number.NaN : (60 * sampleRate) / (at - last) });
              first = false;
              last = at;
            } else {
              small += (Math.min(height, beat) - small) / 8;
            }
            candidate = { height: 0, frame: -1 };
          }
          // A heart that beats has been missed: listen more closely.
          if (frame - last > MISSED * sampleRate) beat *= 1 - 1.5 / sampleRate;
          frame++;
        }
      },
    };
  });
}
