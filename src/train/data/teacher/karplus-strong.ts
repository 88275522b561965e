/**
 * A plucked string.
 *
 * | symbol | name | |
 * | --- | --- | --- |
 * | f | pitch | Hz |
 * | N | delay line | frames, ⌊sampleRate/f − ½⌋ |
 * | η | all-pass coefficient, for the rest of the period | |
 * | ρ | loss a period | 10^(−3 / (f · seconds)) |
 *
 *     y[k] = u[k] + ρ · allpass((y[k − N] + y[k − N − 1]) / 2)
 *
 * Karplus and Strong, "Digital synthesis of plucked-string and drum timbres", Computer Music Journal 7 (2), 1983;
 * decay, tuning and the pick's place as in Jaffe and Smith, "Extensions of the Karplus-Strong plucked-string
 * algorithm", the same issue.
 */
import type { Random } from '../../../init/random.ts';

export interface Pluck {
  /** Hz */
  readonly pitch: number;
  /** Frames from the start to the pick. */
  readonly at: number;
  /** Seconds in which the string decays by 60 dB. */
  readonly decay: number;
  /** Where it is plucked, a share of its length: 0.05 at the bridge, 0.5 in its middle. */
  readonly place: number;
  /** 0 dull … 1 bright. */
  readonly brightness: number;
  readonly amplitude: number;
  /** Frames from the pick until the string is damped; absent: it rings on. */
  readonly held?: number;
}

/** Adds a pluck to what sounds already. */
export function pluck(out: Float32Array, note: Pluck, sampleRate: number, draws: Random): void {
  const { pitch, at, place, brightness, amplitude, held = Infinity } = note;
  const period = sampleRate / pitch;
  const length = Math.max(2, Math.floor(period - 0.6));
  const rest = period - 0.5 - length;
  const eta = (1 - rest) / (1 + rest);
  const loss = 10 ** (-3 / (pitch * note.decay));
  const damped = 10 ** (-3 / (pitch * 0.06));

  // A burst of noise, duller where the pick is soft, without the harmonics that have a node where it plucks.
  const burst = new Float64Array(length);
  let held1 = 0;
  for (let i = 0; i < length; i++)
    burst[i] = held1 += (0.15 + 0.85 * brightness) * (draws.uniform(-1, 1) - held1);
  const comb = Math.max(1, Math.round(place * length));
  const line = Float64Array.from(burst, (value, i) => value - burst[(i + length - comb) % length]!);
  let energy = 0;
  for (const value of line) energy += value * value;
  const gain = amplitude / Math.sqrt(energy / length || 1);

  let place1 = 0;
  let before = 0;
  let [passed, entered] = [0, 0];
  for (let k = at; k < out.length; k++) {
    const now = line[place1]!;
    out[k] = out[k]! + gain * now;
    const mean = (now + before) / 2;
    before = now;
    passed = eta * (mean - passed) + entered;
    entered = mean;
    line[place1] = (k - at < held ? loss : damped) * passed;
    place1 = place1 + 1 === length ? 0 : place1 + 1;
  }
}
