import { ArgumentError } from '../errors.ts';
import { requireSections } from './sections.ts';
import type { Section } from './types.ts';

/**
 * The state in which a cascade rests under a constant input of 1, so that it starts without a jump: scipy's
 * sosfilt_zi. Multiply by the first input.
 *
 * With G = Σb/Σa a section's states (transposed direct form II) are b1 + b2 - (a1 + a2) G and b2 - a2 G,
 * times the gain at 0 Hz of the sections before it.
 *
 * @returns (sections × 2)
 * @throws ArgumentError for a pole at z = 1, where no state rests
 * @example sosInitialState([[0.5, 0, 0, 1, -0.5, 0]]) // [[0.5, 0]]
 */
export function sosInitialState(sections: readonly Section[]): [number, number][] {
  requireSections(sections, 'sosInitialState');
  let input = 1;
  return sections.map(([b0, b1, b2, a0, a1, a2], i) => {
    const denominator = a0 + a1 + a2;
    if (denominator === 0) {
      throw new ArgumentError(
        `sosInitialState: section ${i} has a pole at z = 1 and never rests under a constant input: ` +
          `start it from zeros, or move the pole inside the unit circle`,
      );
    }
    const gain = (b0 + b1 + b2) / denominator;
    const second = b2 - a2 * gain;
    const state: [number, number] = [input * (b1 - a1 * gain + second), input * second];
    input *= gain;
    return state;
  });
}
