import { ArgumentError } from '../errors.ts';
import type { Section } from './types.ts';

/**
 * Refuses rows that are no second-order sections.
 *
 * @throws ArgumentError for no rows, a row of another length than 6, a value that is not finite, or a0 other than 1
 */
export function requireSections(sections: readonly Section[], where: string): void {
  if (sections.length === 0)
    throw new ArgumentError(`${where}: no sections: give at least [1, 0, 0, 1, 0, 0]`);
  for (const [i, section] of sections.entries()) {
    if (section.length !== 6 || !section.every(Number.isFinite)) {
      throw new ArgumentError(
        `${where}: section ${i} is [${section.join(', ')}]: give six finite numbers b0, b1, b2, a0, a1, a2`,
      );
    }
    if (section[3] !== 1) {
      throw new ArgumentError(
        `${where}: section ${i} has a0 = ${section[3]}: ` +
          (section[3] === 0
            ? 'its output would need its own future'
            : 'divide the row by a0, so that a0 is 1'),
      );
    }
  }
}
