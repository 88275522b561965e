import type { AdjointCall } from '../signal/index.ts';
import { isConstant } from '../signal/index.ts';
import { DplrStep, dplrCoefficients, dplrSystem, twiceReal } from './dplr-discretise.ts';
import { B, C, DT, LAMBDA, P, U, channelSystems } from './dplr-scan-plan.ts';
import type { DplrPlan, DplrScanAttributes } from './dplr-scan-plan.ts';

/**
 * The adjoint of the diagonal plus low rank scan: the recurrence in reverse, transposed and conjugated.
 *
 *     ℓ[k] = conj(c) dy[k] + conj(a) ℓ[k+1] + 2 Σᵣ conj(Gᵣ) dηᵣ[k+1]        (dL/dx[k])
 *     dηᵣ[k] = −Re Σₙ conj(Fᵣ) ℓ[k],   du[k] = Re Σₙ conj(b) ℓ[k]
 *     da = ℓ[k] conj(x[k−1]),   dFᵣ = −ℓ[k] ηᵣ[k],   dGᵣ = 2 dηᵣ[k] conj(x[k−1]),   db = ℓ[k] u[k]
 *
 * Gradients of the coefficients go through the discretisation once, or once a frame where dt comes by frame. One
 * channel's trajectory is recomputed at a time.
 */
export function dplrScanAdjoint(call: AdjointCall<DplrScanAttributes, DplrPlan>): void {
  const { attributes, types, inputs, dOutput, dInputs, firings } = call;
  const { channels, states, rank } = attributes;
  const size = 2 * states;
  const [u, dtInput, cInput] = [inputs[U]!, inputs[DT]!, inputs[C]!];
  const still = isConstant(types[DT]!);
  const [lambda, p, b] = [LAMBDA, P, B].map((at) => inputs[at]!);
  const systems = channelSystems(
    attributes,
    lambda!.data.subarray(lambda!.origin),
    p!.data.subarray(p!.origin),
    b!.data.subarray(b!.origin),
  );
  const discretiser = new DplrStep(states, rank);
  const at = dplrCoefficients(states, rank);
  const x = new Float64Array((firings + 1) * size);
  const eta = new Float64Array(firings * rank);

  for (let h = 0; h < channels; h++) {
    const system = systems[h]!;
    const dtAt = (k: number): number => dtInput.data[dtInput.origin + (still ? 0 : k * channels) + h]!;
    const discretise = (k: number): void => discretiser.forward(system, dtAt(k), at);
    const d = dplrCoefficients(states, rank);
    const dSystem = dplrSystem(states, rank);
    const dC = new Float64Array(size);
    const pullBack = (k: number): void => {
      const dDt = discretiser.backward(system, dtAt(k), at, d, dSystem);
      const to = dInputs[DT];
      if (to) to.data[to.origin + (still ? 0 : k * channels) + h]! += dDt;
      for (const values of [d.a, d.F, d.G, d.b]) values.fill(0);
    };

    // x[k] stands at k + 1, so that x[−1] = 0 stands at 0.
    if (still) discretise(0);
    for (let k = 0; k < firings; k++) {
      if (!still) discretise(k);
      const past = x.subarray(k * size, (k + 1) * size);
      const now = u.data[u.origin + k * channels + h]!;
      for (let r = 0; r < rank; r++) eta[k * rank + r] = twiceReal(at.G, r * states, past, 0, states);
      for (let i = 0; i < size; i += 2) {
        let re = at.a[i]! * past[i]! - at.a[i + 1]! * past[i + 1]! + at.b[i]! * now;
        let im = at.a[i]! * past[i + 1]! + at.a[i + 1]! * past[i]! + at.b[i + 1]! * now;
        for (let r = 0; r < rank; r++) {
          re -= at.F[r * size + i]! * eta[k * rank + r]!;
          im -= at.F[r * size + i + 1]! * eta[k * rank + r]!;
        }
        x[(k + 1) * size + i] = re;
        x[(k + 1) * size + i + 1] = im;
      }
    }

    const l = new Float64Array(size);
    const dEta = new Float64Array(rank);
    for (let k = firings - 1; k >= 0; k--) {
      if (!still) discretise(k);
      const dy = dOutput.data[dOutput.origin + k * channels + h]!;
      const now = u.data[u.origin + k * channels + h]!;
      let du = 0;
      dEta.fill(0);
      for (let i = 0; i < size; i += 2) {
        const c = cInput.origin + h * size + i;
        l[i]! += dy * cInput.data[c]!;
        l[i + 1]! -= dy * cInput.data[c + 1]!;
        dC[i]! += dy * x[(k + 1) * size + i]!;
        dC[i + 1]! -= dy * x[(k + 1) * size + i + 1]!;
        du += at.b[i]! * l[i]! + at.b[i + 1]! * l[i + 1]!;
        d.b[i]! += l[i]! * now;
        d.b[i + 1]! += l[i + 1]! * now;
        for (let r = 0; r < rank; r++) {
          const j = r * size + i;
          dEta[r]! -= at.F[j]! * l[i]! + at.F[j + 1]! * l[i + 1]!;
          d.F[j]! -= l[i]! * eta[k * rank + r]!;
          d.F[j + 1]! -= l[i + 1]! * eta[k * rank + r]!;
        }
      }
      for (let i = 0; i < size; i += 2) {
        const [pRe, pIm] = [x[k * size + i]!, x[k * size + i + 1]!];
        const [lRe, lIm] = [l[i]!, l[i + 1]!];
        d.a[i]! += lRe * pRe + lIm * pIm;
        d.a[i + 1]! += lIm * pRe - lRe * pIm;
        l[i] = at.a[i]! * lRe + at.a[i + 1]! * lIm;
        l[i + 1] = at.a[i]! * lIm - at.a[i + 1]! * lRe;
        for (let r = 0; r < rank; r++) {
          const j = r * size + i;
          d.G[j]! += 2 * dEta[r]! * pRe;
          d.G[j + 1]! -= 2 * dEta[r]! * pIm;
          l[i]! += 2 * dEta[r]! * at.G[j]!;
          l[i + 1]! -= 2 * dEta[r]! * at.G[j + 1]!;
        }
      }
      const to = dInputs[U];
      if (to) to.data[to.origin + k * channels + h]! += du;
      if (!still) pullBack(k);
    }
    if (still) pullBack(0);

    const give = (input: number, offset: number, values: Float64Array): void => {
      const to = dInputs[input];
      if (to) values.forEach((value, i) => (to.data[to.origin + offset + i]! += value));
    };
    give(LAMBDA, h * size, dSystem.lambda);
    give(B, h * size, dSystem.B);
    give(C, h * size, dC);
    for (let r = 0; r < rank; r++)
      give(P, (r * channels + h) * size, dSystem.P.subarray(r * size, (r + 1) * size));
  }
}
