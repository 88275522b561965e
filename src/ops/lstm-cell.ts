import { sigmoid } from '../math/scalar.ts';
import type { Signal, SignalType } from '../signal/index.ts';
import { defineOp, formatShape, isConstant, sizeOf } from '../signal/index.ts';

/**
 * The recurrence of a long short-term memory, gates in PyTorch's order i, f, g, o:
 *
 *     a = gx[k] + W h[k−1] + b
 *     i = σ(a_i),  f = σ(a_f),  g = tanh(a_g),  o = σ(a_o)
 *     c[k] = f ⊙ c[k−1] + i ⊙ g,   h[k] = o ⊙ tanh(c[k])
 *
 * | symbol | name | shape |
 * | --- | --- | --- |
 * | gx | input | (4H): W_ih x + b_ih |
 * | W | weight_hh | (4H × H), constant |
 * | b | bias_hh | (4H), constant, optional |
 * | h[−1], c[−1] | initial | (H) each, constant, 0 unless given |
 * | h | output, state | (H) |
 * | c | state | (H) |
 *
 * Source: Hochreiter & Schmidhuber, "Long Short-Term Memory" (1997) with the forget gate of Gers, Schmidhuber &
 * Cummins (2000); torch `nn.LSTM`.
 */
interface LstmCellAttributes {
  /** Whether there are inputs for b, and for h[−1] and c[−1]. */
  readonly bias: boolean;
  readonly initial: boolean;
}

/** Where among the inputs each operand stands; -1 where there is none. */
const positions = ({ bias, initial }: LstmCellAttributes) => ({
  bias: bias ? 2 : -1,
  h0: initial ? (bias ? 3 : 2) : -1,
  c0: initial ? (bias ? 4 : 3) : -1,
});

const unitsOf = (types: readonly SignalType[]): number => types[1]!.shape[1]!;

interface Prepared {
  readonly a: Float64Array; // (4H), scratch
}

const lstmCellOp = defineOp<LstmCellAttributes, Prepared>({
  name: 'lstm-cell',
  shape(attributes, types, reject) {
    const [gx, weight] = types;
    const [rows, units] = weight!.shape;
    if (weight!.shape.length !== 2 || rows !== 4 * units!)
      reject(`weight_hh ${formatShape(weight!.shape)} must be (4H × H), gates i, f, g, o`);
    if (sizeOf(gx!.shape) !== rows)
      reject(`gx ${formatShape(gx!.shape)} must be (${rows}), W_ih x + b_ih of ${units} units`);
    const { bias, h0, c0 } = positions(attributes);
    for (const [name, at, size] of [
      ['weight_hh', 1, rows! * units!],
      ['bias_hh', bias, rows!],
      ['the initial h', h0, units!],
      ['the initial c', c0, units!],
    ] as const) {
      if (at < 0) continue;
      const type = types[at]!;
      if (sizeOf(type.shape) !== size) reject(`${name} ${formatShape(type.shape)} must be (${size})`);
      if (!isConstant(type)) reject(`${name} varies in time; it must be a constant`);
    }
    return [units!];
  },
  state({ initial }, types) {
    const shape = [unitsOf(types)];
    return {
      h: { shape, type: 'signal' },
      c: { shape, type: 'signal' },
      // 0 until the first frame after a start or a reset has taken the initial state.
      ...(initial ? { started: { shape: [1], type: 'signal' as const } } : {}),
    };
  },
  prepare: ({ types }) => ({ a: new Float64Array(4 * unitsOf(types)) }),
  step({ attributes, types, inputs, output, state, prepared: { a } }) {
    const H = unitsOf(types);
    const at = positions(attributes);
    const { h, c, started } = state as { h: Float64Array; c: Float64Array; started?: Float64Array };
    if (started && started[0] === 0) {
      const [h0, c0] = [inputs[at.h0]!, inputs[at.c0]!];
      for (let i = 0; i < H; i++) {
        h[i] = h0.data[h0.at + i]!;
        c[i] = c0.data[c0.at + i]!;
      }
      started[0] = 1;
    }
    const [gx, weight] = inputs;
    const bias = inputs[at.bias];
    for (let row = 0; row < 4 * H; row++) {
      let sum = gx!.data[gx!.at + row]! + (bias ? bias.data[bias.at + row]! : 0);
      const from = weight!.at + row * H;
      for (let j = 0; j < H; j++) sum += weight!.data[from + j]! * h[j]!;
      a[row] = sum;
    }
    for (let i = 0; i < H; i++) {
      const cell = sigmoid(a[H + i]!) * c[i]! + sigmoid(a[i]!) * Math.tanh(a[2 * H + i]!);
      c[i] = cell;
      h[i] = sigmoid(a[3 * H + i]!) * Math.tanh(cell);
      output.data[output.at + i] = h[i]!;
    }
  },
  adjoint({ attributes, types, inputs, dOutput, dInputs, firings }) {
    const H = unitsOf(types);
    const at = positions(attributes);
    const [gx, weight] = inputs;
    const bias = inputs[at.bias];
    const [dGx, dWeight] = dInputs;
    const dBias = dInputs[at.bias];
    const w = weight!.data.subarray(weight!.origin, weight!.origin + 4 * H * H);
    // The trajectory, recomputed: states from k = −1 on, and the gates' values.
    const hs = new Float64Array((firings + 1) * H);
    const cs = new Float64Array((firings + 1) * H);
    const gates = new Float64Array(firings * 4 * H);
    if (attributes.initial) {
      hs.set(inputs[at.h0]!.data.subarray(inputs[at.h0]!.origin, inputs[at.h0]!.origin + H));
      cs.set(inputs[at.c0]!.data.subarray(inputs[at.c0]!.origin, inputs[at.c0]!.origin + H));
    }
    for (let k = 0; k < firings; k++) {
      for (let row = 0; row < 4 * H; row++) {
        let sum = gx!.data[gx!.origin + k * 4 * H + row]! + (bias ? bias.data[bias.origin + row]! : 0);
        for (let j = 0; j < H; j++) sum += w[row * H + j]! * hs[k * H + j]!;
        gates[k * 4 * H + row] = Math.floor(row / H) === 2 ? Math.tanh(sum) : sigmoid(sum);
      }
      const base = k * 4 * H;
      for (let i = 0; i < H; i++) {
        const cell = gates[base + H + i]! * cs[k * H + i]! + gates[base + i]! * gates[base + 2 * H + i]!;
        cs[(k + 1) * H + i] = cell;
        hs[(k + 1) * H + i] = gates[base + 3 * H + i]! * Math.tanh(cell);
      }
    }

    const dh = new Float64Array(H);
    const dc = new Float64Array(H);
    const da = new Float64Array(4 * H);
    for (let k = firings - 1; k >= 0; k--) {
      const base = k * 4 * H;
      for (let i = 0; i < H; i++) {
        const [gi, gf] = [gates[base + i]!, gates[base + H + i]!];
        const [gg, go] = [gates[base + 2 * H + i]!, gates[base + 3 * H + i]!];
        const t = Math.tanh(cs[(k + 1) * H + i]!);
        const dy = dOutput.data[dOutput.origin + k * H + i]! + dh[i]!;
        const dCell = dc[i]! + dy * go * (1 - t * t);
        da[i] = dCell * gg * gi * (1 - gi);
        da[H + i] = dCell * cs[k * H + i]! * gf * (1 - gf);
        da[2 * H + i] = dCell * gi * (1 - gg * gg);
        da[3 * H + i] = dy * t * go * (1 - go);
        dc[i] = dCell * gf;
      }
      dh.fill(0);
      for (let row = 0; row < 4 * H; row++) {
        const slope = da[row]!;
        if (dGx) dGx.data[dGx.origin + base + row]! += slope;
        if (dBias) dBias.data[dBias.origin + row]! += slope;
        for (let j = 0; j < H; j++) {
          dh[j]! += w[row * H + j]! * slope;
          if (dWeight) dWeight.data[dWeight.origin + row * H + j]! += slope * hs[k * H + j]!;
        }
      }
    }
    const [dh0, dc0] = [dInputs[at.h0], dInputs[at.c0]];
    for (let i = 0; i < H; i++) {
      if (dh0) dh0.data[dh0.origin + i]! += dh[i]!;
      if (dc0) dc0.data[dc0.origin + i]! += dc[i]!;
    }
  },
});

export interface LstmCellOperands {
  /** weight_hh (4H × H), gates i, f, g, o. */
  readonly weight: Signal;
  /** bias_hh (4H). */
  readonly bias?: Signal | undefined;
  /** h[−1] and c[−1], (H) each; zeros where not given. A reset begins with them again. */
  readonly initial?: { readonly h: Signal; readonly c: Signal } | undefined;
}

/**
 * The recurrence of an LSTM: (4H) → (H). The input's part, W_ih x + b_ih, comes from a `dense` before it, which looks
 * at no past and can run over many frames at once.
 *
 * @throws GraphError where a shape does not fit.
 * @example
 * const h = lstmCell(dense(x, weightIh, biasIh), { weight: weightHh, bias: biasHh });
 */
export function lstmCell(gx: Signal, { weight, bias, initial }: LstmCellOperands): Signal {
  const optional = [...(bias ? [bias] : []), ...(initial ? [initial.h, initial.c] : [])];
  const attributes = { bias: bias !== undefined, initial: initial !== undefined };
  return gx.trace.apply(lstmCellOp, attributes, [gx, weight, ...optional]);
}
