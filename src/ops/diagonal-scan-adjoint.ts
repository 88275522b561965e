import type { AdjointCall, Sequence } from '../signal/index.ts';
import { isConstant } from '../signal/index.ts';
import type { DiagonalScanAttributes, ScanPlan, ScanRole } from './diagonal-scan-plan.ts';

/**
 * The adjoint of the diagonal scan: the same scan in reverse with conjugated coefficients. A gradient with
 * respect to a complex w is ∂L/∂Re w + i ∂L/∂Im w.
 *
 *     λ[k] = conj(c[k]) dy[k] + conj(Ā[k+1]) λ[k+1]     (dL/dx[k])
 *     dĀ[k] = λ[k] conj(x[k−1]),   dB̄[k] = λ[k] conj(u[k]),   du[k] = Re Σₙ conj(B̄[k]) λ[k]
 *     dz = dĀ conj(f′(z)) + dB̄ conj(dt b g′(z)),   da = dt dz,   ddt = Re(dz conj(a)) + Re(dB̄ conj(g b))
 *
 * The trajectory of a lane's states is recomputed, one lane at a time, so that memory stays at one lane's.
 * Coefficients that stand still gather dĀ and dB̄ over time and go through f and g once.
 */
export function diagonalScanAdjoint(call: AdjointCall<DiagonalScanAttributes, ScanPlan>): void {
  const { attributes, types, inputs, dOutput, dInputs, prepared, firings } = call;
  const { channels, states, complex, method } = attributes;
  const { at, lanes } = prepared;
  const count = channels * states;
  const still = prepared.coefficients !== undefined;
  const steps = inputs.map((sequence, i) => (isConstant(types[i]!) ? 0 : sequence.width));

  const locate = (role: ScanRole, sequence: Sequence, lane: number, k: number): number =>
    sequence.origin + k * steps[at[role]]! + lanes[role]![lane]!;
  const read = (role: ScanRole, lane: number, k: number, otherwise: number): number =>
    at[role] < 0 ? otherwise : inputs[at[role]]!.data[locate(role, inputs[at[role]]!, lane, k)]!;
  const give = (role: ScanRole, lane: number, k: number, amount: number): void => {
    const to = at[role] < 0 ? undefined : dInputs[at[role]];
    if (to) to.data[locate(role, to, lane, k)]! += amount;
  };
  const input = (role: 'u' | 'uIm', h: number, k: number): number => {
    if (at[role] < 0 || k < 0) return 0;
    const sequence = inputs[at[role]]!;
    return sequence.data[sequence.origin + k * channels + h]!;
  };
  const giveInput = (role: 'u' | 'uIm', h: number, k: number, amount: number): void => {
    const to = at[role] < 0 || k < 0 ? undefined : dInputs[at[role]];
    if (to) to.data[to.origin + k * channels + h]! += amount;
  };
  // Where the output is the state, its gradient comes in both parts; else it comes through c.
  const incoming = (part: number, lane: number, k: number): number =>
    dOutput.data[dOutput.origin + k * dOutput.width + part * count + lane]!;

  const xRe = new Float64Array(firings);
  const xIm = new Float64Array(firings);
  const out = new Float64Array(12);
  // Discretised coefficients of one lane at every frame, or once where they stand still.
  const frames = still ? 1 : firings;
  const discrete = new Float64Array(frames * 12);

  for (let lane = 0; lane < count; lane++) {
    const h = Math.floor(lane / states);
    for (let k = 0; k < frames; k++) {
      const dt = read('dt', lane, k, 1);
      method.evaluate(dt * read('a', lane, k, 0), dt * read('aIm', lane, k, 0), out);
      discrete.set(out, 12 * k);
    }
    const bBar = (k: number, g: 4 | 8): readonly [number, number] => {
      const dt = read('dt', lane, k, 1);
      const b = read('b', lane, k, 1);
      const bIm = read('bIm', lane, k, 0);
      const o = still ? 0 : 12 * k;
      const gRe = discrete[o + g]!;
      const gIm = discrete[o + g + 1]!;
      return [dt * (gRe * b - gIm * bIm), dt * (gRe * bIm + gIm * b)];
    };

    for (let k = 0, re = 0, im = 0; k < firings; k++) {
      const o = still ? 0 : 12 * k;
      const [bRe, bIm] = bBar(k, 4);
      const u = input('u', h, k);
      const uIm = input('uIm', h, k);
      let nextRe = discrete[o]! * re - discrete[o + 1]! * im + bRe * u - bIm * uIm;
      let nextIm = discrete[o]! * im + discrete[o + 1]! * re + bRe * uIm + bIm * u;
      if (method.usesPreviousInput) {
        const [pRe, pIm] = bBar(k, 8);
        nextRe += pRe * input('u', h, k - 1) - pIm * input('uIm', h, k - 1);
        nextIm += pRe * input('uIm', h, k - 1) + pIm * input('u', h, k - 1);
      }
      re = nextRe;
      im = complex ? nextIm : 0;
      xRe[k] = re;
      xIm[k] = im;
    }

    // dĀ, dB̄ and the previous input's dB̄, gathered over time where coefficients stand still.
    const gathered = new Float64Array(6);
    const chain = (k: number): void => {
      const o = still ? 0 : 12 * k;
      const dt = read('dt', lane, k, 1);
      const [a, aIm] = [read('a', lane, k, 0), read('aIm', lane, k, 0)];
      const [b, bIm] = [read('b', lane, k, 1), read('bIm', lane, k, 0)];
      let zRe = gathered[0]! * discrete[o + 2]! + gathered[1]! * discrete[o + 3]!;
      let zIm = gathered[1]! * discrete[o + 2]! - gathered[0]! * discrete[o + 3]!;
      let dDt = 0;
      for (let g = 4, d = 2; g <= (method.usesPreviousInput ? 8 : 4); g += 4, d += 2) {
        const [dRe, dIm] = [gathered[d]!, gathered[d + 1]!];
        const [gRe, gIm] = [discrete[o + g]!, discrete[o + g + 1]!];
        const [sRe, sIm] = [discrete[o + g + 2]!, discrete[o + g + 3]!];
        give('b', lane, k, dt * (dRe * gRe + dIm * gIm));
        give('bIm', lane, k, dt * (dIm * gRe - dRe * gIm));
        dDt += dRe * (gRe * b - gIm * bIm) + dIm * (gRe * bIm + gIm * b);
        // conj(dt b g′) · dB̄
        const wRe = dt * (b * sRe - bIm * sIm);
        const wIm = dt * (b * sIm + bIm * sRe);
        zRe += dRe * wRe + dIm * wIm;
        zIm += dIm * wRe - dRe * wIm;
      }
      give('a', lane, k, dt * zRe);
      give('aIm', lane, k, dt * zIm);
      give('dt', lane, k, dDt + zRe * a + zIm * aIm);
      gathered.fill(0);
    };

    for (let k = firings - 1, lambdaRe = 0, lambdaIm = 0; k >= 0; k--) {
      if (at.c >= 0) {
        const dy = dOutput.data[dOutput.origin + k * channels + h]!;
        lambdaRe += dy * read('c', lane, k, 0);
        lambdaIm -= dy * read('cIm', lane, k, 0);
        give('c', lane, k, dy * xRe[k]!);
        give('cIm', lane, k, -dy * xIm[k]!);
      } else {
        lambdaRe += incoming(0, lane, k);
        if (complex) lambdaIm += incoming(1, lane, k);
      }
      if (!complex) lambdaIm = 0;
      const back = (g: 4 | 8, frame: number, d: number): void => {
        const [bRe, bIm] = bBar(k, g);
        const [u, uIm] = [input('u', h, frame), input('uIm', h, frame)];
        giveInput('u', h, frame, lambdaRe * bRe + lambdaIm * bIm);
        giveInput('uIm', h, frame, lambdaIm * bRe - lambdaRe * bIm);
        gathered[d]! += lambdaRe * u + lambdaIm * uIm;
        gathered[d + 1]! += lambdaIm * u - lambdaRe * uIm;
      };
      back(4, k, 2);
      if (method.usesPreviousInput) back(8, k - 1, 4);
      const [pastRe, pastIm] = k > 0 ? [xRe[k - 1]!, xIm[k - 1]!] : [0, 0];
      gathered[0]! += lambdaRe * pastRe + lambdaIm * pastIm;
      gathered[1]! += lambdaIm * pastRe - lambdaRe * pastIm;
      if (!still) chain(k);
      const o = still ? 0 : 12 * k;
      const nextRe = discrete[o]! * lambdaRe + discrete[o + 1]! * lambdaIm;
      lambdaIm = discrete[o]! * lambdaIm - discrete[o + 1]! * lambdaRe;
      lambdaRe = nextRe;
    }
    if (still) chain(0);
  }
}
