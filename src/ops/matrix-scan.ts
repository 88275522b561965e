import type { AdjointCall, Sequence, Shape, Signal, StepCall } from '../signal/index.ts';
import { defineOp, formatShape, isConstant } from '../signal/index.ts';
import { FLUSH_BELOW, FLUSH_FRAMES } from './diagonal-scan-plan.ts';
import { longMatrixScan } from './matrix-scan-long.ts';
import {
  prepareMatrixScan,
  type MatrixScanAttributes,
  type MatrixScanPrepared,
  type MatrixScanRole,
} from './matrix-scan-plan.ts';

export type { MatrixScanRole } from './matrix-scan-plan.ts';

/** A read of an operand at a frame: the array and where the head's elements begin. */
type Reader = (
  role: MatrixScanRole,
  head: number,
) => { readonly data: ArrayLike<number>; readonly at: number } | undefined;

/** One frame of one head's matrix, in place. `S[at + key·values + value]`. */
function advance(
  { keys, values, rank }: MatrixScanAttributes,
  decayStep: number,
  read: Reader,
  h: number,
  S: Float32Array | Float64Array,
  at: number,
  projected: Float64Array,
  flush: boolean,
): void {
  const k = read('k', h)!;
  const v = read('v', h)!;
  const w = read('decay', h);
  const a = read('a', h);
  const b = read('b', h);
  if (a) {
    projected.fill(0);
    for (let i = 0; i < keys; i++) {
      const weight = a.data[a.at + i]!;
      for (let j = 0; j < values; j++) projected[j]! += weight * S[at + i * values + j]!;
    }
  }
  for (let i = 0; i < keys; i++) {
    const kept = w ? w.data[w.at + i * decayStep]! : 1;
    const taken = b ? b.data[b.at + i]! : 0;
    for (let j = 0; j < values; j++) {
      let next = kept * S[at + i * values + j]! + taken * projected[j]!;
      for (let r = 0; r < rank; r++) next += k.data[k.at + r * keys + i]! * v.data[v.at + r * values + j]!;
      S[at + i * values + j] = flush && Math.abs(next) < FLUSH_BELOW ? 0 : next;
    }
  }
}

function step(call: StepCall<MatrixScanAttributes, MatrixScanPrepared>): void {
  const { attributes, inputs, output, state, prepared, firing } = call;
  const { heads, keys, values, readOut } = attributes;
  const S = state['S']!;
  const flush = firing % FLUSH_FRAMES === FLUSH_FRAMES - 1;
  const read: Reader = (role, h) => {
    const operand = prepared.operand[role];
    if (operand === undefined) return undefined;
    const { data, at } = inputs[operand.input]!;
    return { data, at: at + operand.offset[h]! };
  };
  for (let h = 0; h < heads; h++) {
    const at = h * keys * values;
    const look = (): void => {
      const q = read('q', h)!;
      for (let j = 0; j < values; j++) {
        let sum = 0;
        for (let i = 0; i < keys; i++) sum += q.data[q.at + i]! * S[at + i * values + j]!;
        output.data[output.at + h * values + j] = sum;
      }
    };
    if (readOut === 'before') look();
    advance(attributes, prepared.operand.decay?.step ?? 0, read, h, S, at, prepared.projected, flush);
    if (prepared.rounded) for (let i = at; i < at + keys * values; i++) S[i] = Math.fround(S[i]!);
    if (readOut === 'after') look();
  }
}

/**
 * In reverse, λ being ∂L/∂S[t]:
 *
 *     λ += q dyᵀ,  dq = S dy,   dk = λ v,  dv = λᵀ k,   p = S[t−1]ᵀ a,  db = λ p,  dp = λᵀ b
 *     da = S[t−1] dp,   dw = rows of λ ⊙ S[t−1],   ∂L/∂S[t−1] = diag(w) λ + a dpᵀ
 *
 * The matrices are recomputed from checkpoints √T frames apart, one head at a time.
 */
function adjoint(call: AdjointCall<MatrixScanAttributes, MatrixScanPrepared>): void {
  const { attributes, types, inputs, dOutput, dInputs, prepared, firings } = call;
  const { heads, keys, values, rank, readOut } = attributes;
  const size = keys * values;
  const segment = Math.max(1, Math.ceil(Math.sqrt(firings)));
  const checkpoints = new Float64Array(Math.ceil(firings / segment) * size);
  const history = new Float64Array((segment + 1) * size);
  const decayStep = prepared.operand.decay?.step ?? 0;
  const place = (
    role: MatrixScanRole,
    from: readonly (Sequence | null)[],
    h: number,
    t: number,
  ): { data: Float64Array; at: number } | undefined => {
    const operand = prepared.operand[role];
    const sequence = operand && from[operand.input];
    if (!sequence) return undefined;
    const frame = isConstant(types[operand.input]!) ? 0 : t * sequence.width;
    return { data: sequence.data, at: sequence.origin + frame + operand.offset[h]! };
  };

  for (let h = 0; h < heads; h++) {
    const reader =
      (t: number): Reader =>
      (role, head) =>
        place(role, inputs, head, t);
    const S = new Float64Array(size);
    for (let t = 0; t < firings; t++) {
      if (t % segment === 0) checkpoints.set(S, (t / segment) * size);
      advance(attributes, decayStep, reader(t), h, S, 0, prepared.projected, false);
    }
    let lambda = new Float64Array(size);
    for (let first = Math.floor((firings - 1) / segment) * segment; first >= 0; first -= segment) {
      const last = Math.min(firings, first + segment);
      history.set(checkpoints.subarray((first / segment) * size, (first / segment + 1) * size));
      for (let t = first; t < last; t++) {
        const n = t - first + 1;
        history.copyWithin(n * size, (n - 1) * size, n * size);
        advance(attributes, decayStep, reader(t), h, history, n * size, prepared.projected, false);
      }
      for (let t = last - 1; t >= first; t--) {
        lambda = back(
          t,
          history.subarray((t - first) * size, (t - first + 1) * size),
          history.subarray((t - first + 1) * size, (t - first + 2) * size),
          lambda,
        );
      }
    }

    function back(
      t: number,
      before: Float64Array,
      after: Float64Array,
      incoming: Float64Array<ArrayBuffer>,
    ): Float64Array<ArrayBuffer> {
      const gradient = (role: MatrixScanRole): { data: Float64Array; at: number } | undefined =>
        place(role, dInputs, h, t);
      const value = (role: MatrixScanRole): { data: Float64Array; at: number } | undefined =>
        place(role, inputs, h, t);
      const [q, k, v, w, a, b] = [
        value('q')!,
        value('k')!,
        value('v')!,
        value('decay'),
        value('a'),
        value('b'),
      ];
      const [dq, dk, dv, dw, da, db] = [
        gradient('q'),
        gradient('k'),
        gradient('v'),
        gradient('decay'),
        gradient('a'),
        gradient('b'),
      ];
      const dy = dOutput.origin + t * dOutput.width + h * values;
      const seen = readOut === 'after' ? after : before;
      const outgoing = new Float64Array(size);
      const target = readOut === 'after' ? incoming : outgoing;
      for (let i = 0; i < keys; i++) {
        for (let j = 0; j < values; j++) {
          const slope = dOutput.data[dy + j]!;
          if (dq) dq.data[dq.at + i]! += slope * seen[i * values + j]!;
          target[i * values + j]! += slope * q.data[q.at + i]!;
        }
      }
      const p = new Float64Array(values);
      const dp = new Float64Array(values);
      for (let i = 0; i < keys; i++) {
        for (let j = 0; j < values; j++) {
          const slope = incoming[i * values + j]!;
          const old = before[i * values + j]!;
          for (let r = 0; r < rank; r++) {
            if (dk) dk.data[dk.at + r * keys + i]! += slope * v.data[v.at + r * values + j]!;
            if (dv) dv.data[dv.at + r * values + j]! += slope * k.data[k.at + r * keys + i]!;
          }
          if (dw) dw.data[dw.at + i * decayStep]! += slope * old;
          outgoing[i * values + j]! += slope * (w ? w.data[w.at + i * decayStep]! : 1);
          if (a && b) {
            p[j]! += a.data[a.at + i]! * old;
            dp[j]! += b.data[b.at + i]! * slope;
          }
        }
      }
      if (a && b) {
        for (let i = 0; i < keys; i++) {
          for (let j = 0; j < values; j++) {
            if (db) db.data[db.at + i]! += incoming[i * values + j]! * p[j]!;
            if (da) da.data[da.at + i]! += before[i * values + j]! * dp[j]!;
            outgoing[i * values + j]! += a.data[a.at + i]! * dp[j]!;
          }
        }
      }
      return outgoing;
    }
  }
}

export const matrixScanOp = defineOp<MatrixScanAttributes, MatrixScanPrepared>({
  name: 'matrix-scan',
  shape({ heads, keys, values, rank, roles }, types, reject) {
    roles.forEach((role, i) => {
      const { shape } = types[i]!;
      const expected: readonly Shape[] =
        role === 'v'
          ? [rank === 1 ? [heads, values] : [heads, rank, values]]
          : role === 'k'
            ? [rank === 1 ? [heads, keys] : [heads, rank, keys]]
            : role === 'decay'
              ? [
                  [heads, keys],
                  [heads, 1],
                ]
              : [[heads, keys]];
      const fits = expected.some(
        (wanted) =>
          wanted.length === shape.length &&
          heads % (shape[0] ?? 0) === 0 &&
          wanted.slice(1).every((extent, axis) => extent === shape[axis + 1]),
      );
      if (!fits) {
        reject(
          `${role} ${formatShape(shape)} must be ${expected.map(formatShape).join(' or ')}, or with a divisor of ${heads} heads`,
        );
      }
    });
    if (roles.includes('a') !== roles.includes('b')) reject('a delta rule needs both a and b');
    if (isConstant(types[roles.indexOf('v')]!)) reject('v must be a signal');
    return [heads, values];
  },
  // A scan that keeps everything knows no pace.
  // The decay of an endless sum only keeps it in range.
  time: ({ roles, endless }) => (roles.includes('decay') && !endless ? [roles.indexOf('decay')] : 'free'),
  state: ({ heads, keys, values, endless }) => ({
    S: { shape: [heads, keys, values], type: endless ? 'float64' : 'signal' },
  }),
  prepare: prepareMatrixScan,
  step,
  adjoint,
  long: longMatrixScan,
});

export interface MatrixScanOperands {
  readonly q: Signal;
  /** (H × K), or (H × R × K) for R outer products a frame. */
  readonly k: Signal;
  /** (H × V), or (H × R × V). */
  readonly v: Signal;
  readonly decay?: Signal | undefined;
  readonly a?: Signal | undefined;
  readonly b?: Signal | undefined;
  /** `after` (default): the output sees the current key and value; `before`: it does not (RWKV). */
  readonly readOut?: 'after' | 'before' | undefined;
  /** True where nothing is ever forgotten, and sums grow with the stream: they are kept in float64. */
  readonly endless?: boolean | undefined;
}

/**
 * S ← diag(decay) S + b (aᵀ S) + k vᵀ and y = qᵀ S, a matrix a head; see `MatrixScanAttributes` for shapes.
 * The output is (H × V). Scales, norms, feature maps and gates are pointwise ops around it.
 *
 * | model | decay | a | b |
 * | --- | --- | --- | --- |
 * | linear attention | – | – | – |
 * | retention | γ a head | – | – |
 * | SSD (Mamba-2), simple GLA | a number a head and frame | – | – |
 * | GLA, RWKV-6 | a number a key and frame | – | – |
 * | delta rule | – | k | −β k |
 * | gated delta rule | α | α k | −β k |
 * | KDA | α a key | α ⊙ k | −β k |
 * | RWKV-7 | w a key | −κ̂ | κ̂ ⊙ a |
 *
 * @throws GraphError where a shape does not fit.
 * @example
 * const y = matrixScan({ q, k, v, decay: exp(gate) });
 */
export function matrixScan(operands: MatrixScanOperands): Signal {
  const roles: MatrixScanRole[] = [];
  const inputs: Signal[] = [];
  for (const role of ['q', 'k', 'v', 'decay', 'a', 'b'] as const) {
    const signal = operands[role];
    if (signal === undefined) continue;
    roles.push(role);
    inputs.push(signal);
  }
  const { q, k, v, readOut = 'after', endless = false } = operands;
  const attributes: MatrixScanAttributes = {
    heads: v.shape[0] ?? 0,
    keys: q.shape.at(-1) ?? 0,
    values: v.shape.at(-1) ?? 0,
    rank: k.shape.length === 3 ? k.shape[1]! : 1,
    readOut,
    endless,
    roles,
  };
  return v.trace.apply(matrixScanOp, attributes, inputs, 'scan');
}
