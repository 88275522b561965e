/**
 * The recurrence of an S4D layer, without what stands around it (D, GELU, GLU): the same work for all contenders.
 *
 * | symbol | name | shape |
 * | --- | --- | --- |
 * | H, N | channels, complex states a channel | |
 * | Ā | poles after zero-order hold | (H × N) |
 * | c̃ | 2 C B̄, the read-out with the input weight folded in | (H × N) |
 */
import { zoh } from '../../../src/discretize/index.ts';
import { logUniformDt, random, s4d as s4dMatrices } from '../../../src/init/index.ts';
import { diagonalScan } from '../../../src/ops/index.ts';
import { defineLayer, type Layer } from '../../../src/signal/index.ts';

/** Frozen numbers of one such recurrence, in float64. */
export interface S4d {
  readonly channels: number;
  readonly states: number;
  readonly model: Layer;
  readonly parameters: Readonly<Record<string, Float64Array>>;
  /** Ā, c̃: (channels × states) each. */
  readonly aRe: Float64Array;
  readonly aIm: Float64Array;
  readonly cRe: Float64Array;
  readonly cIm: Float64Array;
}

/** `y[k] = 2 Re(C x[k])`, `x[k] = Ā x[k−1] + B̄ u[k]`, initialised as the official layer, dt from 0.001 to 0.1. */
export function s4dRecurrence(channels: number, states: number): S4d {
  const shape = [channels, states] as const;
  const source = random(7);
  const { A } = s4dMatrices('lin', 2 * states);
  const count = channels * states;
  const parameters = {
    a: Float64Array.from({ length: count }, (_, i) => A.re[i % states]!),
    aIm: Float64Array.from({ length: count }, (_, i) => -A.im[i % states]!),
    c: Float64Array.from({ length: count }, () => source.normal()),
    cIm: Float64Array.from({ length: count }, () => source.normal()),
    dt: logUniformDt(source, channels).map(Math.exp),
  };
  const model = defineLayer({
    name: 's4d-recurrence',
    features: channels,
    apply(trace, u) {
      const operand = (name: string, dims: readonly number[]) => trace.parameter(name, dims);
      return diagonalScan(u, {
        a: { re: operand('a', shape), im: operand('aIm', shape) },
        c: { re: operand('c', shape), im: operand('cIm', shape) },
        dt: operand('dt', [channels]),
        method: zoh.diagonal,
      });
    },
  });

  const folded = { aRe: zeros(count), aIm: zeros(count), cRe: zeros(count), cIm: zeros(count) };
  const at = new Float64Array(12);
  for (let i = 0; i < count; i++) {
    const dt = parameters.dt[Math.floor(i / states)]!;
    zoh.diagonal.evaluate(dt * parameters.a[i]!, dt * parameters.aIm[i]!, at);
    const [bRe, bIm] = [dt * at[4]!, dt * at[5]!];
    folded.aRe[i] = at[0]!;
    folded.aIm[i] = at[1]!;
    folded.cRe[i] = parameters.c[i]! * bRe - parameters.cIm[i]! * bIm;
    folded.cIm[i] = parameters.c[i]! * bIm + parameters.cIm[i]! * bRe;
  }
  return { channels, states, model, parameters, ...folded };
}

const zeros = (length: number): Float64Array => new Float64Array(length);

/**
 * The recurrence over chunks of L frames as products with carried state, real arithmetic; s = (re, im) of all states:
 *
 *     y = T u + O s,   s' = Āᴸ s + K u
 *
 * | symbol | shape | |
 * | --- | --- | --- |
 * | uTk | (H × L × (L + 2N)) | Tᵀ and Kᵀ beside each other |
 * | sO | (H × 2N × L) | Oᵀ |
 * | turnRe, turnIm | (H × 2N) | Re Āᴸ twice; −Im Āᴸ, +Im Āᴸ: s' = turnRe s + turnIm swap(s) + K u |
 */
export interface Chunked {
  readonly length: number;
  readonly uTk: Float64Array;
  readonly sO: Float64Array;
  readonly turnRe: Float64Array;
  readonly turnIm: Float64Array;
}

export function chunked({ channels, states, aRe, aIm, cRe, cIm }: S4d, length: number): Chunked {
  const width = length + 2 * states;
  const uTk = zeros(channels * length * width);
  const sO = zeros(channels * 2 * states * length);
  const turnRe = zeros(channels * 2 * states);
  const turnIm = zeros(channels * 2 * states);
  for (let h = 0; h < channels; h++) {
    const kernel = zeros(length);
    for (let n = 0; n < states; n++) {
      const lane = h * states + n;
      let [re, im] = [1, 0];
      for (let k = 0; k < length; k++) {
        // (re, im) is Āᵏ.
        kernel[k]! += cRe[lane]! * re - cIm[lane]! * im;
        const row = (h * length + (length - 1 - k)) * width + length;
        uTk[row + n] = re;
        uTk[row + states + n] = im;
        [re, im] = [re * aRe[lane]! - im * aIm[lane]!, re * aIm[lane]! + im * aRe[lane]!];
        // Now Āᵏ⁺¹: what the state before the chunk adds to frame k.
        sO[(h * 2 * states + n) * length + k] = cRe[lane]! * re - cIm[lane]! * im;
        sO[(h * 2 * states + states + n) * length + k] = -(cRe[lane]! * im + cIm[lane]! * re);
      }
      const at = h * 2 * states + n;
      turnRe[at] = turnRe[at + states] = re;
      turnIm[at] = -im;
      turnIm[at + states] = im;
    }
    for (let from = 0; from < length; from++) {
      for (let to = from; to < length; to++) uTk[(h * length + from) * width + to] = kernel[to - from]!;
    }
  }
  return { length, uTk, sO, turnRe, turnIm };
}
