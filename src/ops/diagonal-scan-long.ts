import type { SequenceCall } from '../signal/index.ts';
import { causalConvolution } from './causal-convolution.ts';
import type { DiagonalScanAttributes, ScanPlan } from './diagonal-scan-plan.ts';

/**
 * The scan of a whole sequence as a convolution, where coefficients and read-out stand still and the input
 * is real: the kernel K[l] = Re Σₙ c B̄ Āˡ of each channel (a Vandermonde product), convolved by FFT.
 * O(L log L) a channel beyond the kernel itself. Elsewhere it declines, and the caller steps.
 *
 * @returns false where this form does not apply.
 */
export function diagonalScanLong(call: SequenceCall<DiagonalScanAttributes, ScanPlan>): boolean {
  const { attributes, types, inputs, output, prepared, firings } = call;
  const { channels, states } = attributes;
  const { at, lanes, coefficients } = prepared;
  const readOutVaries = [at.c, at.cIm].some((i) => i >= 0 && types[i]!.rate !== 'constant');
  if (!coefficients || coefficients.bPrevious || at.c < 0 || at.uIm >= 0 || readOutVaries) return false;

  const convolve = causalConvolution(firings);
  const u = inputs[at.u]!;
  const c = inputs[at.c]!;
  const cIm = at.cIm < 0 ? undefined : inputs[at.cIm]!;
  const kernel = new Float64Array(firings);
  const channel = new Float64Array(firings);

  for (let h = 0; h < channels; h++) {
    kernel.fill(0);
    for (let n = 0; n < states; n++) {
      const lane = h * states + n;
      const [aRe, aIm] = [coefficients.aBar[2 * lane]!, coefficients.aBar[2 * lane + 1]!];
      const [bRe, bIm] = [coefficients.bBar[2 * lane]!, coefficients.bBar[2 * lane + 1]!];
      const cr = c.data[c.origin + lanes.c![lane]!]!;
      const ci = cIm ? cIm.data[cIm.origin + lanes.cIm![lane]!]! : 0;
      let re = cr * bRe - ci * bIm;
      let im = cr * bIm + ci * bRe;
      for (let l = 0; l < firings; l++) {
        kernel[l]! += re;
        const next = re * aRe - im * aIm;
        im = re * aIm + im * aRe;
        re = next;
      }
    }
    for (let k = 0; k < firings; k++) channel[k] = u.data[u.origin + k * channels + h]!;
    convolve(kernel, channel, channel);
    for (let k = 0; k < firings; k++) output.data[output.origin + k * channels + h] = channel[k]!;
  }
  return true;
}
