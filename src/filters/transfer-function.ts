import { ArgumentError } from '../errors.ts';
import { leadingZeros } from './polynomial.ts';
import type { Domain, TransferFunction } from './types.ts';
import { requireFinite } from './validate.ts';

/**
 * Checks a transfer function and brings it to `a[0] = 1` and b and a of one length, descending powers of s or z:
 * in z by zeros at the end (powers of z^-1 are what was given), in s by zeros at b's front.
 *
 * @throws ArgumentError for empty or infinite coefficients, b all 0, a[0] = 0 in z, a all 0 in s, or in s a
 *   numerator of higher degree than the denominator (improper: it would differentiate)
 */
export function normalizeTf(
  { b, a }: TransferFunction,
  where: string,
  { analog = false }: Domain = {},
): TransferFunction {
  for (const [name, values] of [['b', b] as const, ['a', a] as const]) {
    if (values.length === 0)
      throw new ArgumentError(`${where}: ${name} is empty: give at least one coefficient`);
    requireFinite(values, name, where);
    if (leadingZeros(values) < values.length) continue;
    throw new ArgumentError(
      `${where}: all of ${name} is 0: ${name === 'b' ? 'the output would be silent' : 'nothing divides'}`,
    );
  }
  if (analog) {
    const numerator = b.slice(leadingZeros(b));
    const denominator = a.slice(leadingZeros(a));
    const missing = denominator.length - numerator.length;
    if (missing < 0) {
      throw new ArgumentError(
        `${where}: the numerator's degree ${numerator.length - 1} is above the denominator's ` +
          `${denominator.length - 1}: an improper filter differentiates without bound; add poles`,
      );
    }
    return divideBy({ b: [...new Array<number>(missing).fill(0), ...numerator], a: denominator });
  }
  if (a[0] === 0) {
    throw new ArgumentError(
      `${where}: a[0] is 0: the output would need its own future; remove the zeros at the front of a ` +
        `(and delay b by as many frames)`,
    );
  }
  const length = Math.max(b.length, a.length);
  const filled = (p: readonly number[]) => [...p, ...new Array<number>(length - p.length).fill(0)];
  return divideBy({ b: filled(b), a: filled(a) });
}

function divideBy({ b, a }: TransferFunction): TransferFunction {
  const lead = a[0];
  return lead === 1 ? { b, a } : { b: b.map((value) => value / lead), a: a.map((value) => value / lead) };
}
