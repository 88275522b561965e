import { ParameterError } from '../errors.ts';
import { magnitude } from './complex.ts';
import { ssToZpk } from './ss-to-zpk.ts';
import type { Complex, Section, SisoStateSpace } from './types.ts';
import { zpkToSos } from './zpk-to-sos.ts';

/** How far, relative to its peak, the sections' impulse response may stray from the system's. */
const TOLERANCE = 1e-6;
const MAX_FRAMES = 16_384;

/**
 * Factors a digital system with one input and one output into second-order sections, and compares the impulse
 * responses of both until they have decayed (over at most 16,384 frames).
 *
 * @throws ArgumentError as `ssToZpk`
 * @throws ParameterError where the responses differ by more than 1e-6 of the peak: the system's basis is too
 *   ill-conditioned to be factored
 * @example ssToSos({ A: [[0.5]], B: [0.5], C: [1], D: 1 }) // [[1, 0, 0, 1, -0.5, 0]]
 */
export function ssToSos(system: SisoStateSpace): Section[] {
  const zpk = ssToZpk(system);
  const sections = zpkToSos(zpk);
  const frames = framesToDecay(zpk.poles);
  const wanted = impulseOfSystem(system, frames);
  const got = impulseOfSections(sections, frames);
  const peak = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const error = wanted.reduce((most, value, k) => Math.max(most, Math.abs(value - got[k])), 0);
  if (!(error <= TOLERANCE * peak)) {
    throw new ParameterError(
      `ssToSos: the sections of this ${system.A.length}-state system miss its impulse response by ` +
        `${(error / peak).toExponential(1)} of the peak (allowed: ${TOLERANCE}): A, B, C, D are too ` +
        `ill-conditioned to factor; give zeros and poles or sections, or run A, B, C, D as they are in float64`,
    );
  }
  return sections;
}

/** 20 time constants of the slowest pole, at least 16 frames a pole; a pole that does not decay has none to wait for. */
function framesToDecay(poles: readonly Complex[]): number {
  const least = 16 * poles.length + 64;
  const radius = poles.reduce((most, pole) => Math.max(most, magnitude(pole)), 0);
  return radius < 1 ? Math.min(Math.max(least, Math.ceil(20 / (1 - radius))), MAX_FRAMES) : least;
}

function impulseOfSystem({ A, B, C, D }: SisoStateSpace, frames: number): number[] {
  let x = B;
  return Array.from({ length: frames }, (_, k) => {
    if (k === 0) return D;
    const y = C.reduce((sum, value, i) => sum + value * x[i], 0);
    x = A.map((row) => row.reduce((sum, value, i) => sum + value * x[i], 0));
    return y;
  });
}

function impulseOfSections(sections: readonly Section[], frames: number): number[] {
  const signal = Array.from({ length: frames }, (_, k) => Number(k === 0));
  for (const [b0, b1, b2, , a1, a2] of sections) {
    let [s1, s2] = [0, 0];
    for (const [k, u] of signal.entries()) {
      const y = b0 * u + s1;
      s1 = b1 * u - a1 * y + s2;
      s2 = b2 * u - a2 * y;
      signal[k] = y;
    }
  }
  return signal;
}
