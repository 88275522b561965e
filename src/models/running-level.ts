import { add, mul, div, runningMean, sqrt, square } from '../ops/index.ts';
import { defineLayer, sizeOf, type Layer, type Signal } from '../signal/index.ts';

/** How a running level follows the signal. */
export interface RunningLevelOptions {
  /** Seconds of memory; before that many have passed, the mean is over all that was heard. */
  readonly seconds?: number;
  /** The root-mean-square that is believed at the start, and for how many seconds it counts. */
  readonly prior?: { readonly rms: number; readonly seconds: number };
  /** Hz, where the layer itself knows no rate. */
  readonly sampleRate?: number;
}

/**
 * The root-mean-square of what was heard so far, of each channel: √(running mean of x² + 1e-8). It follows another
 * sample rate: its memory is seconds.
 *
 * @param rate Hz of the signal.
 * @example div(x, runningLevelOf(x, 16_000))
 */
export function runningLevelOf(x: Signal, rate: number, options: RunningLevelOptions = {}): Signal {
  const { seconds = 4, prior = { rms: 0.1, seconds: 0.3 } } = options;
  const before = { power: prior.rms ** 2, seconds: prior.seconds };
  return levelOfPower(square(x), rate, { seconds, prior: before, floor: 1e-8 });
}

/**
 * √(running mean of a power + `floor`).
 *
 * @param rate frames of `power` in a second.
 */
export function levelOfPower(
  power: Signal,
  rate: number,
  {
    seconds,
    prior,
    floor,
  }: {
    readonly seconds: number;
    readonly prior: { readonly power: number; readonly seconds: number };
    readonly floor: number;
  },
): Signal {
  const mean = runningMean(power, {
    memory: seconds * rate,
    prior: { value: prior.power, frames: prior.seconds * rate },
    scale: power.trace.timeScale(),
  });
  return sqrt(add(mean, floor));
}

/**
 * A layer on a signal divided by its own running level, its output multiplied by it again: the causal stand-in for
 * code that divides a whole clip by its standard deviation beforehand.
 *
 *     p[k] = running mean of x²,   y[k] = level[k] · layer(x / level)[k],   level = √(p + 1e-8)
 *
 * The level of frame k multiplies output frame k, look-ahead or not. Defaults are chosen on the 20 recordings of
 * VoiceBank+DEMAND; `docs/models/denoisers.md` has the figures.
 *
 * @example
 * const model = runningLevel(cleanUMamba(sizes));
 */
export function runningLevel(layer: Layer, options: RunningLevelOptions = {}): Layer {
  const { sampleRate = layer.sampleRate ?? 16_000 } = options;
  return defineLayer({
    name: layer.name,
    features: sizeOf(layer.inputs['input']!),
    sampleRate: layer.sampleRate,
    endPadding: layer.endPadding,
    apply(trace, x) {
      const level = runningLevelOf(x, sampleRate, options);
      return mul(layer.apply(trace, div(x, level)), level);
    },
  });
}
