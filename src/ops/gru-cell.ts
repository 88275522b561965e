import { sigmoid } from '../math/scalar.ts';
import type { Signal, SignalType } from '../signal/index.ts';
import { defineOp, formatShape, isConstant, sizeOf } from '../signal/index.ts';

/**
 * The recurrence of a gated recurrent unit, gates in PyTorch's order r, z, n:
 *
 *     r = σ(gx_r + W_r h + b_r),   z = σ(gx_z + W_z h + b_z),   h = h[k−1]
 *     reset after:   n = tanh(gx_n + r ⊙ (W_n h + b_n))
 *     reset before:  n = tanh(gx_n + W_n (r ⊙ h) + b_n)
 *     h[k] = (1 − z) ⊙ n + z ⊙ h[k−1]
 *
 * | symbol | name | shape |
 * | --- | --- | --- |
 * | gx | input | (3H): W_ih x + b_ih |
 * | W | weight_hh | (3H × H), constant |
 * | b | bias_hh | (3H), constant, optional |
 * | h[−1] | initial | (H), constant, 0 unless given |
 * | h | output, state | (H) |
 *
 * Source: Cho et al., "Learning Phrase Representations using RNN Encoder–Decoder" (arXiv 1406.1078), eqs. 5–8, which
 * resets before the product (v3; Keras `reset_after=False`); torch `nn.GRU` and cuDNN reset after it.
 */
interface GruCellAttributes {
  readonly reset: 'after' | 'before';
  /** Whether there are inputs for b, and for h[−1]. */
  readonly bias: boolean;
  readonly initial: boolean;
}

/** Where among the inputs each operand stands; -1 where there is none. */
const positions = ({ bias, initial }: GruCellAttributes) => ({
  bias: bias ? 2 : -1,
  h0: initial ? (bias ? 3 : 2) : -1,
});

const unitsOf = (types: readonly SignalType[]): number => types[1]!.shape[1]!;

interface Prepared {
  readonly a: Float64Array; // (3H), scratch: gates' arguments, of n the recurrent part alone
  readonly past: Float64Array; // (H), scratch: r ⊙ h
}

/** Rows `from` to `to` of W x + b. */
function product(
  into: Float64Array,
  intoAt: number,
  [from, to]: readonly [number, number],
  { data: w, at }: { readonly data: ArrayLike<number>; readonly at: number },
  bias: { readonly data: ArrayLike<number>; readonly at: number } | undefined,
  x: ArrayLike<number>,
  xAt: number,
  H: number,
): void {
  for (let row = from; row < to; row++) {
    let sum = bias ? bias.data[bias.at + row]! : 0;
    for (let j = 0; j < H; j++) sum += w[at + row * H + j]! * x[xAt + j]!;
    into[intoAt + row] = sum;
  }
}

const gruCellOp = defineOp<GruCellAttributes, Prepared>({
  name: 'gru-cell',
  shape(attributes, types, reject) {
    const [gx, weight] = types;
    const [rows, units] = weight!.shape;
    if (weight!.shape.length !== 2 || rows !== 3 * units!)
      reject(`weight_hh ${formatShape(weight!.shape)} must be (3H × H), gates r, z, n`);
    if (sizeOf(gx!.shape) !== rows)
      reject(`gx ${formatShape(gx!.shape)} must be (${rows}), W_ih x + b_ih of ${units} units`);
    const { bias, h0 } = positions(attributes);
    for (const [name, at, size] of [
      ['weight_hh', 1, rows! * units!],
      ['bias_hh', bias, rows!],
      ['the initial h', h0, units!],
    ] as const) {
      if (at < 0) continue;
      const type = types[at]!;
      if (sizeOf(type.shape) !== size) reject(`${name} ${formatShape(type.shape)} must be (${size})`);
      if (!isConstant(type)) reject(`${name} varies in time; it must be a constant`);
    }
    return [units!];
  },
  state({ initial }, types) {
    return {
      h: { shape: [unitsOf(types)], type: 'signal' },
      // 0 until the first frame after a start or a reset has taken the initial state.
      ...(initial ? { started: { shape: [1], type: 'signal' as const } } : {}),
    };
  },
  prepare: ({ types }) => ({
    a: new Float64Array(3 * unitsOf(types)),
    past: new Float64Array(unitsOf(types)),
  }),
  step({ attributes, types, inputs, output, state, prepared: { a, past } }) {
    const H = unitsOf(types);
    const at = positions(attributes);
    const { h, started } = state as { h: Float64Array; started?: Float64Array };
    if (started && started[0] === 0) {
      const h0 = inputs[at.h0]!;
      for (let i = 0; i < H; i++) h[i] = h0.data[h0.at + i]!;
      started[0] = 1;
    }
    const after = attributes.reset === 'after';
    const [gx, weight] = inputs;
    const bias = inputs[at.bias];
    product(a, 0, [0, after ? 3 * H : 2 * H], weight!, bias, h, 0, H);
    for (let i = 0; i < 2 * H; i++) a[i] = sigmoid(gx!.data[gx!.at + i]! + a[i]!);
    if (!after) {
      for (let i = 0; i < H; i++) past[i] = a[i]! * h[i]!;
      product(a, 0, [2 * H, 3 * H], weight!, bias, past, 0, H);
    }
    for (let i = 0; i < H; i++) {
      const q = after ? a[i]! * a[2 * H + i]! : a[2 * H + i]!;
      const n = Math.tanh(gx!.data[gx!.at + 2 * H + i]! + q);
      const z = a[H + i]!;
      h[i] = (1 - z) * n + z * h[i]!;
      output.data[output.at + i] = h[i]!;
    }
  },
  adjoint({ attributes, types, inputs, dOutput, dInputs, firings }) {
    const H = unitsOf(types);
    const at = positions(attributes);
    const after = attributes.reset === 'after';
    const [gx] = inputs;
    const weight = { data: inputs[1]!.data, at: inputs[1]!.origin };
    const biasInput = inputs[at.bias];
    const bias = biasInput && { data: biasInput.data, at: biasInput.origin };
    const [dGx, dWeight] = dInputs;
    const dBias = dInputs[at.bias];
    // The trajectory, recomputed: states from k = −1 on; r, z and n; and W_n h + b_n or r ⊙ h.
    const hs = new Float64Array((firings + 1) * H);
    const gates = new Float64Array(firings * 3 * H);
    const inner = new Float64Array(firings * H);
    const h0 = inputs[at.h0];
    if (h0) hs.set(h0.data.subarray(h0.origin, h0.origin + H));
    for (let k = 0; k < firings; k++) {
      const base = k * 3 * H;
      const x = gx!.origin + base;
      product(gates, base, [0, after ? 3 * H : 2 * H], weight, bias, hs, k * H, H);
      for (let i = 0; i < 2 * H; i++) gates[base + i] = sigmoid(gx!.data[x + i]! + gates[base + i]!);
      for (let i = 0; i < H; i++)
        inner[k * H + i] = after ? gates[base + 2 * H + i]! : gates[base + i]! * hs[k * H + i]!;
      if (!after) product(gates, base, [2 * H, 3 * H], weight, bias, inner, k * H, H);
      for (let i = 0; i < H; i++) {
        const q = after ? gates[base + i]! * inner[k * H + i]! : gates[base + 2 * H + i]!;
        const n = Math.tanh(gx!.data[x + 2 * H + i]! + q);
        const z = gates[base + H + i]!;
        gates[base + 2 * H + i] = n;
        hs[(k + 1) * H + i] = (1 - z) * n + z * hs[k * H + i]!;
      }
    }

    const dh = new Float64Array(H); // of h[k], then of h[k−1]
    const da = new Float64Array(3 * H); // of the gates' arguments
    const dq = new Float64Array(H); // of W_n … + b_n
    for (let k = firings - 1; k >= 0; k--) {
      const base = k * 3 * H;
      for (let i = 0; i < H; i++) {
        const [r, z, n] = [gates[base + i]!, gates[base + H + i]!, gates[base + 2 * H + i]!];
        const dy = dOutput.data[dOutput.origin + k * H + i]! + dh[i]!;
        da[H + i] = dy * (hs[k * H + i]! - n) * z * (1 - z);
        da[2 * H + i] = dy * (1 - z) * (1 - n * n);
        dq[i] = after ? da[2 * H + i]! * r : da[2 * H + i]!;
        da[i] = after ? da[2 * H + i]! * inner[k * H + i]! * r * (1 - r) : 0;
        dh[i] = dy * z;
      }
      const seen = after ? hs : inner;
      for (let j = 0; j < H; j++) {
        let back = 0;
        for (let i = 0; i < H; i++) {
          back += weight.data[weight.at + (2 * H + i) * H + j]! * dq[i]!;
          if (dWeight) dWeight.data[dWeight.origin + (2 * H + i) * H + j]! += dq[i]! * seen[k * H + j]!;
        }
        if (after) dh[j]! += back;
        else {
          const r = gates[base + j]!;
          dh[j]! += back * r;
          da[j] = back * hs[k * H + j]! * r * (1 - r);
        }
      }
      for (let row = 0; row < 2 * H; row++) {
        for (let j = 0; j < H; j++) {
          dh[j]! += weight.data[weight.at + row * H + j]! * da[row]!;
          if (dWeight) dWeight.data[dWeight.origin + row * H + j]! += da[row]! * hs[k * H + j]!;
        }
      }
      for (let row = 0; row < 3 * H; row++) {
        if (dGx) dGx.data[dGx.origin + base + row]! += da[row]!;
        if (dBias) dBias.data[dBias.origin + row]! += row < 2 * H ? da[row]! : dq[row - 2 * H]!;
      }
    }
    const dh0 = dInputs[at.h0];
    if (dh0) for (let i = 0; i < H; i++) dh0.data[dh0.origin + i]! += dh[i]!;
  },
});

export interface GruCellOperands {
  /** weight_hh (3H × H), gates r, z, n. */
  readonly weight: Signal;
  /** bias_hh (3H). */
  readonly bias?: Signal | undefined;
  /** h[−1] (H); zeros where not given. A reset begins with it again. */
  readonly initial?: Signal | undefined;
  /** Whether r applies `after` the product with W_n (default: torch, cuDNN, Keras 2) or `before` it (Cho et al.). */
  readonly reset?: 'after' | 'before';
}

/**
 * The recurrence of a GRU: (3H) → (H). The input's part, W_ih x + b_ih, comes from a `dense` before it.
 *
 * @throws GraphError where a shape does not fit.
 * @example
 * const h = gruCell(dense(x, weightIh, biasIh), { weight: weightHh, bias: biasHh });
 */
export function gruCell(gx: Signal, operands: GruCellOperands): Signal {
  const { weight, bias, initial, reset = 'after' } = operands;
  const optional = [...(bias ? [bias] : []), ...(initial ? [initial] : [])];
  const attributes = { reset, bias: bias !== undefined, initial: initial !== undefined };
  return gx.trace.apply(gruCellOp, attributes, [gx, weight, ...optional]);
}
