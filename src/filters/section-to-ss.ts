import { requireSections } from './sections.ts';
import type { Section, SisoStateSpace } from './types.ts';

/**
 * A section in the states of the transposed direct form II: A = [[-a1, 1], [-a2, 0]],
 * B = [b1 - a1 b0, b2 - a2 b0], C = [1, 0], D = b0, with x[k+1] = A x[k] + B u[k], y[k] = C x[k] + D u[k].
 * First-order sections (a2 = b2 = 0) have one state, a bare gain none.
 *
 * @throws ArgumentError for a row that is no section
 * @example sectionToSs([1, 0, 0, 1, -0.5, 0]) // { A: [[0.5]], B: [0.5], C: [1], D: 1 }
 */
export function sectionToSs(section: Section): SisoStateSpace {
  requireSections([section], 'sectionToSs');
  const [b0, b1, b2, , a1, a2] = section;
  if (a2 !== 0 || b2 !== 0) {
    return {
      A: [
        [0 - a1, 1],
        [0 - a2, 0],
      ],
      B: [b1 - a1 * b0, b2 - a2 * b0],
      C: [1, 0],
      D: b0,
    };
  }
  if (a1 !== 0 || b1 !== 0) return { A: [[0 - a1]], B: [b1 - a1 * b0], C: [1], D: b0 };
  return { A: [], B: [], C: [], D: b0 };
}
