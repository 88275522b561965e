import { multiplyPolynomials } from './polynomial.ts';
import { requireSections } from './sections.ts';
import type { Section, TransferFunction } from './types.ts';

/**
 * Multiplies sections out: b and a of 2·sections + 1 coefficients each, as scipy's sos2tf.
 *
 * @throws ArgumentError for rows that are no sections
 * @example sosToTf([[1, 0, 0, 1, -0.5, 0]]) // { b: [1, 0, 0], a: [1, -0.5, 0] }
 */
export function sosToTf(sections: readonly Section[]): TransferFunction {
  requireSections(sections, 'sosToTf');
  return {
    b: sections.map((section) => section.slice(0, 3)).reduce(multiplyPolynomials),
    a: sections.map((section) => section.slice(3)).reduce(multiplyPolynomials),
  };
}
