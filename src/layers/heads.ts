import { ArgumentError } from '../errors.ts';

/**
 * How many heads of a width fill the inner channels, in groups of equal size.
 *
 * @throws ArgumentError where they do not.
 */
export function headsOf(layer: string, inner: number, headWidth: number, groups: number): number {
  const heads = inner / headWidth;
  if (!Number.isSafeInteger(heads)) {
    throw new ArgumentError(
      `${layer}: inner is ${inner}, which heads of ${headWidth} do not fill; give a headWidth that divides it`,
    );
  }
  if (heads % groups !== 0) {
    throw new ArgumentError(
      `${layer}: ${heads} heads can't share B and C in ${groups} groups; give groups that divide the heads`,
    );
  }
  return heads;
}
