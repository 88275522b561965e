import { ArgumentError } from '../errors.ts';

/*
 * x, estimate, reference   samples of one channel, or of several interleaved   frames (× channels)
 */

type Samples = ArrayLike<number>;

/** Root mean square, √(Σ x² / n); 0 of nothing. */
export function rms(x: Samples): number {
  return x.length === 0 ? 0 : Math.sqrt(energy(x) / x.length);
}

/** The largest magnitude, max |x|; 0 of nothing. */
export function peak(x: Samples): number {
  let most = 0;
  for (let i = 0; i < x.length; i++) {
    const magnitude = Math.abs(x[i]!);
    if (magnitude > most) most = magnitude;
  }
  return most;
}

/**
 * An amplitude in decibels relative to full scale, 20 · log10(amplitude): 0 dBFS is an amplitude of 1, so the
 * root mean square of a full-scale sine is −3.01 dBFS. −Infinity of silence.
 */
export const dbfs = (amplitude: number): number => 20 * Math.log10(Math.abs(amplitude));

/** The amplitude of a level, 10^(dB / 20): the inverse of {@link dbfs}. */
export const fromDbfs = (db: number): number => 10 ** (db / 20);

/**
 * Signal-to-noise ratio of an estimate, 10 · log10(Σ reference² / Σ (estimate − reference)²), in dB:
 * scale matters. Infinity where they are equal.
 */
export function snr(estimate: Samples, reference: Samples): number {
  sameLength(estimate, reference);
  let noise = 0;
  for (let i = 0; i < reference.length; i++) noise += (estimate[i]! - reference[i]!) ** 2;
  return ratio(energy(reference), noise);
}

/**
 * Scale-invariant signal-to-distortion ratio, in dB: with both means taken off,
 * α = ⟨estimate, reference⟩ / ‖reference‖², 10 · log10(‖α·reference‖² / ‖estimate − α·reference‖²).
 *
 * Le Roux, Wisdom, Erdogan, Hershey, "SDR – half-baked or well done?", ICASSP 2019, equation 3. One channel.
 */
export function siSdr(estimate: Samples, reference: Samples): number {
  sameLength(estimate, reference);
  const estimateMean = mean(estimate);
  const referenceMean = mean(reference);
  let cross = 0;
  let power = 0;
  for (let i = 0; i < reference.length; i++) {
    const r = reference[i]! - referenceMean;
    cross += (estimate[i]! - estimateMean) * r;
    power += r * r;
  }
  if (power === 0)
    throw new ArgumentError('siSdr: the reference is silent or constant; there is nothing to compare with.');
  const scale = cross / power;
  let distortion = 0;
  for (let i = 0; i < reference.length; i++) {
    distortion += (estimate[i]! - estimateMean - scale * (reference[i]! - referenceMean)) ** 2;
  }
  return ratio(scale * scale * power, distortion);
}

function energy(x: Samples): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i]! * x[i]!;
  return sum;
}

function mean(x: Samples): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i]!;
  return x.length === 0 ? 0 : sum / x.length;
}

const ratio = (signal: number, noise: number): number =>
  noise === 0 && signal > 0 ? Infinity : 10 * Math.log10(signal / noise);

function sameLength(estimate: Samples, reference: Samples): void {
  if (estimate.length !== reference.length) {
    throw new ArgumentError(
      `An estimate of ${estimate.length} samples cannot be compared with a reference of ${reference.length}; cut both to the same length.`,
    );
  }
}
