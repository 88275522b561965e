import { biquad } from '../../../filters/biquad.ts';
import type { Section } from '../../../filters/types.ts';
import type { Random } from '../../../init/random.ts';

/**
 * A random equaliser of low order, as microphones, boxes and distance make it: shelves at both ends and one bell,
 * each −`most` … `most` dB, and sometimes a high-pass.
 */
export function drawEqualiser(sampleRate: number, most: number, draws: Random): Section[] {
  const nyquist = sampleRate / 2;
  const between = (low: number, high: number): number => low * (high / low) ** draws.uniform();
  const gain = (): number => draws.uniform(-most, most);
  const sections = [
    biquad({ type: 'lowshelf', sampleRate, frequency: between(80, 400), gain: gain() }),
    biquad({
      type: 'peaking',
      sampleRate,
      frequency: between(300, 0.6 * nyquist),
      Q: between(0.5, 2),
      gain: gain(),
    }),
    biquad({ type: 'highshelf', sampleRate, frequency: between(0.25, 0.75) * nyquist, gain: gain() }),
  ];
  const cut = draws.uniform() < 0.3;
  const corner = between(40, 200);
  if (cut) sections.push(biquad({ type: 'highpass', sampleRate, frequency: corner, Q: -3 }));
  return sections;
}

/** Filters in place, section after section, from rest. */
export function filterInPlace(x: Float32Array, sections: readonly Section[]): Float32Array {
  for (const [b0, b1, b2, , a1, a2] of sections) {
    let [s1, s2] = [0, 0];
    for (let k = 0; k < x.length; k++) {
      const u = x[k]!;
      const y = b0 * u + s1;
      s1 = b1 * u - a1 * y + s2;
      s2 = b2 * u - a2 * y;
      x[k] = y;
    }
  }
  return x;
}

/** The same there and back: in phase, and each section counts twice. In place. */
export const filterInPhase = (x: Float32Array, sections: readonly Section[]): Float32Array =>
  filterInPlace(filterInPlace(x, sections).reverse(), sections).reverse();
