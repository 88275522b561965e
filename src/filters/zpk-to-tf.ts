import { ArgumentError } from '../errors.ts';
import { polynomialFromRoots } from './polynomial.ts';
import type { Domain, TransferFunction, ZerosPolesGain } from './types.ts';

/**
 * Multiplies zeros and poles out. In z the numerator is filled with zeros at its front to the denominator's length
 * (each is a frame of delay), so that both can be read as powers of z^-1.
 *
 * Expanded coefficients of high orders lose their roots: see `conditioning`; sections do not.
 *
 * @throws ArgumentError for more zeros than poles in z
 * @example zpkToTf({ zeros: [], poles: [{ re: 0.5, im: 0 }], gain: 2 }) // { b: [0, 2], a: [1, -0.5] }
 */
export function zpkToTf(
  { zeros, poles, gain }: ZerosPolesGain,
  { analog = false }: Domain = {},
): TransferFunction {
  const b = polynomialFromRoots(zeros, 'zpkToTf: zeros').map((coefficient) => gain * coefficient);
  const a = polynomialFromRoots(poles, 'zpkToTf: poles');
  if (analog) return { b, a };
  if (zeros.length > poles.length) {
    throw new ArgumentError(
      `zpkToTf: ${zeros.length} zeros and ${poles.length} poles: the output would need future input; ` +
        `add poles at z = 0 to delay it`,
    );
  }
  return { b: [...new Array<number>(a.length - b.length).fill(0), ...b], a };
}
