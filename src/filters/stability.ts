import { ArgumentError, ParameterError } from '../errors.ts';
import { magnitude } from './complex.ts';
import { requireSections } from './sections.ts';
import { tfToZpk } from './tf-to-zpk.ts';
import { normalizeTf } from './transfer-function.ts';
import type { Domain, Section, TransferFunction, ZerosPolesGain } from './types.ts';

/** Any of the forms of a filter. Sections are digital. */
export type AnyFilter = readonly Section[] | TransferFunction | ZerosPolesGain;

/**
 * Whether every pole lies strictly inside the unit circle (z), or strictly left of the imaginary axis (s). Sections
 * are judged by Jury's triangle, b and a by Schur-Cohn's (z) or Routh's (s) recursion: no roots are computed, so that
 * no rounding of roots decides.
 *
 * @throws ArgumentError for a filter that is malformed, or sections said to be analog
 * @example isStable([[1, 0, 0, 1, -1.9, 0.95]]) // true
 */
export function isStable(filter: AnyFilter, { analog = false }: Domain = {}): boolean {
  if ('poles' in filter) return filter.poles.every((pole) => (analog ? pole.re < 0 : magnitude(pole) < 1));
  if ('a' in filter) {
    const { a } = normalizeTf(filter, 'isStable', { analog });
    return analog ? leftHalfPlane(a) : insideCircle(a);
  }
  if (analog) {
    throw new ArgumentError(
      'isStable: sections are digital: give an analog filter as zeros and poles or b and a',
    );
  }
  requireSections(filter, 'isStable');
  return filter.every(([, , , , a1, a2]) => Math.abs(a2) < 1 && Math.abs(a1) < 1 + a2);
}

/**
 * Refuses a filter that would grow without bound.
 *
 * @throws ParameterError naming the outermost pole
 */
export function requireStable(filter: AnyFilter, where: string, domain: Domain = {}): void {
  if (isStable(filter, domain)) return;
  const { value, excess } = outermost(filter, domain);
  throw new ParameterError(
    `${where}: the filter is unstable: its pole at ${value} ` +
      (domain.analog === true
        ? `lies ${excess >= 0 ? excess : 0} rad/s right of the imaginary axis; give poles with a negative real part`
        : `has magnitude ${1 + excess}; move every pole inside the unit circle`),
  );
}

function outermost(filter: AnyFilter, { analog = false }: Domain): { value: string; excess: number } {
  const poles =
    'poles' in filter
      ? filter.poles
      : 'a' in filter
        ? tfToZpk({ b: [1], a: filter.a }, { analog }).poles
        : filter.flatMap((section) => tfToZpk({ b: [1], a: section.slice(3) }).poles);
  const excess = poles.map((pole) => (analog ? pole.re : magnitude(pole) - 1));
  const worst = excess.indexOf(Math.max(...excess));
  const { re, im } = poles[worst];
  return { value: `${re}${im < 0 ? ' - ' : ' + '}${Math.abs(im)}i`, excess: excess[worst] };
}

/** Schur-Cohn by step-down: all reflection coefficients below 1 in magnitude (Oppenheim and Schafer, §11.7). */
function insideCircle(a: readonly number[]): boolean {
  let p = a.slice();
  while (p.length > 1) {
    const reflection = p.at(-1)! / p[0];
    if (!(Math.abs(reflection) < 1)) return false;
    const q = p;
    p = q.slice(0, -1).map((value, k) => value - reflection * q[q.length - 1 - k]);
  }
  return true;
}

/** Routh's array: strictly stable exactly if its first column keeps its sign. */
function leftHalfPlane(a: readonly number[]): boolean {
  let upper = a.filter((_, k) => k % 2 === 0);
  let lower = a.filter((_, k) => k % 2 === 1);
  while (lower.length > 0) {
    if (!(lower[0] > 0)) return false;
    const ratio = upper[0] / lower[0];
    const next = upper.slice(1).map((value, k) => value - ratio * (lower[k + 1] ?? 0));
    [upper, lower] = [lower, next];
  }
  return true;
}
