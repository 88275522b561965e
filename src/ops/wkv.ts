import type { AdjointCall, Sequence, Signal, StepCall } from '../signal/index.ts';
import { defineOp, formatShape, isConstant, sameShape } from '../signal/index.ts';

/**
 * The recurrence of RWKV-4: a weighted mean of the values so far, each weight e^k fading by e^w a frame, the
 * current value with a bonus u instead:
 *
 *     y[t] = (N[t−1] + e^{u + k[t]} v[t]) / (D[t−1] + e^{u + k[t]})
 *     N[t] = e^w N[t−1] + e^{k[t]} v[t],   D[t] = e^w D[t−1] + e^{k[t]}
 *
 * | symbol | name | shape | |
 * | --- | --- | --- | --- |
 * | k | key | (C) | log weight of the value |
 * | v | value | (C) | |
 * | w | decay | (C), constant | below 0: −exp(time_decay) |
 * | u | bonus | (C), constant | time_first |
 * | n, d, m | state | (C) | N = n e^m, D = d e^m |
 *
 * N and D overflow for a key of 89 in float32, so both are kept relative to the largest weight e^m: one of the two
 * exponentials of an update is 1 and the other at most 1, and d never falls below 1 once a frame has been seen.
 *
 * The state is float64 whatever the signals are: m falls by |w| a frame, and float32 would lose that fall where
 * |w| is small beside |m|, so that a slow channel would never forget.
 */
interface Prepared {
  readonly w: Float64Array;
  readonly u: Float64Array;
}

/** m of a fresh stream: no weight at all, and finite, so that the difference of two is never NaN. */
const NOTHING = -1e38;

function step({ inputs, output, state, prepared: { w, u } }: StepCall<null, Prepared>): void {
  const k = inputs[0]!;
  const v = inputs[1]!;
  const n = state['num']!;
  const d = state['den']!;
  const m = state['max']!;
  for (let c = 0; c < w.length; c++) {
    const key = k.data[k.at + c]!;
    const value = v.data[v.at + c]!;
    const top = Math.max(m[c]!, u[c]! + key);
    const past = Math.exp(m[c]! - top);
    const now = Math.exp(u[c]! + key - top);
    output.data[output.at + c] = (past * n[c]! + now * value) / (past * d[c]! + now);
    const faded = m[c]! + w[c]!;
    const next = Math.max(faded, key);
    const kept = Math.exp(faded - next);
    const added = Math.exp(key - next);
    n[c] = kept * n[c]! + added * value;
    d[c] = kept * d[c]! + added;
    m[c] = next;
  }
}

/**
 * In reverse, with Q[t] = D[t−1] + e^{u + k[t]}, g = ∂L/∂y[t], and λ, μ = ∂L/∂N[t], ∂L/∂D[t] from later frames:
 *
 *     dv = (e^{u+k}/Q) g + e^k λ,   du += (e^{u+k}/Q) g (v − y),   dk = the same + e^k (λ v + μ)
 *     dw += e^w (λ N[t−1] + μ D[t−1]),   λ ← e^w λ + g/Q,   μ ← e^w μ − g y/Q
 *
 * λ and μ are kept relative to e^s as N and D are to e^m; every product of the two is at most of the size of g.
 * The states are recomputed from checkpoints √T frames apart, a channel at a time.
 */
function adjoint(call: AdjointCall<null, Prepared>): void {
  const { inputs, output, dOutput, dInputs, prepared, firings } = call;
  const [k, v] = inputs as readonly [Sequence, Sequence];
  const [dk, dv, dw, du] = dInputs;
  const segment = Math.max(1, Math.ceil(Math.sqrt(firings)));
  const checkpoints = new Float64Array(3 * Math.ceil(firings / segment));
  const history = new Float64Array(3 * (segment + 1));

  for (let c = 0; c < prepared.w.length; c++) {
    const w = prepared.w[c]!;
    const u = prepared.u[c]!;
    /** State behind frame t, from the one before it: (n, d, m) at `from` to `to`. */
    const advance = (t: number, states: Float64Array, from: number, to: number): void => {
      const key = k.data[k.origin + t * k.width + c]!;
      const faded = states[from + 2]! + w;
      const next = Math.max(faded, key);
      const kept = Math.exp(faded - next);
      const added = Math.exp(key - next);
      states[to] = kept * states[from]! + added * v.data[v.origin + t * v.width + c]!;
      states[to + 1] = kept * states[from + 1]! + added;
      states[to + 2] = next;
    };

    const running = Float64Array.of(0, 0, NOTHING);
    for (let t = 0; t < firings; t++) {
      if (t % segment === 0) checkpoints.set(running, (3 * t) / segment);
      advance(t, running, 0, 0);
    }
    let [lambda, mu, s] = [0, 0, NOTHING];
    for (let first = Math.floor((firings - 1) / segment) * segment; first >= 0; first -= segment) {
      const last = Math.min(firings, first + segment);
      history.set(checkpoints.subarray((3 * first) / segment, (3 * first) / segment + 3));
      for (let t = first; t < last; t++) advance(t, history, 3 * (t - first), 3 * (t - first + 1));
      for (let t = last - 1; t >= first; t--) {
        const before = 3 * (t - first);
        const [n, d, m] = [history[before]!, history[before + 1]!, history[before + 2]!];
        const key = k.data[k.origin + t * k.width + c]!;
        const value = v.data[v.origin + t * v.width + c]!;
        const y = output.data[output.origin + t * output.width + c]!;
        const g = dOutput.data[dOutput.origin + t * dOutput.width + c]!;
        const top = Math.max(m, u + key);
        const now = Math.exp(u + key - top);
        const q = Math.exp(m - top) * d + now;
        const direct = (now / q) * g;
        const later = Math.exp(key + s);
        if (dv) dv.data[dv.origin + t * dv.width + c]! += direct + later * lambda;
        if (dk)
          dk.data[dk.origin + t * dk.width + c]! += direct * (value - y) + later * (lambda * value + mu);
        if (du) du.data[du.origin + c]! += direct * (value - y);
        if (dw) dw.data[dw.origin + c]! += Math.exp(w + m + s) * (lambda * n + mu * d);
        const next = Math.max(s + w, -top);
        const kept = Math.exp(s + w - next);
        const added = (Math.exp(-top - next) * g) / q;
        lambda = kept * lambda + added;
        mu = kept * mu - added * y;
        s = next;
      }
    }
  }
}

const wkvOp = defineOp<null, Prepared>({
  name: 'wkv',
  shape(_attributes, types, reject) {
    const { shape } = types[0]!;
    ['key', 'value', 'decay', 'bonus'].forEach((role, i) => {
      if (!sameShape(types[i]!.shape, shape))
        reject(`${role} ${formatShape(types[i]!.shape)} must have the key's shape ${formatShape(shape)}`);
      if (isConstant(types[i]!) !== i > 1)
        reject(`the ${role} must be a ${i > 1 ? 'constant' : 'signal that varies'}`);
    });
    return shape;
  },
  state(_attributes, [{ shape }]) {
    return {
      num: { shape, type: 'float64' },
      den: { shape, type: 'float64' },
      max: { shape, type: 'float64', initial: NOTHING },
    };
  },
  prepare: ({ constants }) => ({ w: constants[2]!, u: constants[3]! }),
  step,
  adjoint,
});

export interface WkvOperands {
  readonly key: Signal;
  readonly value: Signal;
  /** Of the same shape and constant; log of what is kept a frame, below 0. */
  readonly decay: Signal;
  /** Of the same shape and constant; added to the current key for the output alone. */
  readonly bonus: Signal;
}

/**
 * The mean of all values so far, weighted by e^key and fading by e^decay a frame, the current one with a bonus: the
 * attention of RWKV-4, at 24 bytes of state a channel. No key is too large or too small for it.
 *
 * Source: Peng et al., "RWKV: Reinventing RNNs for the Transformer Era" (arXiv 2305.13048), eq. 16 and appendix D.
 *
 * @throws GraphError where shapes differ, or where decay or bonus vary.
 * @example
 * const y = wkv({ key, value, decay: neg(exp(timeDecay)), bonus: timeFirst });
 */
export const wkv = ({ key, value, decay, bonus }: WkvOperands): Signal =>
  key.trace.apply(wkvOp, null, [key, value, decay, bonus]);
