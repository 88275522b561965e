import { sizeOf, type PrepareCall } from '../signal/index.ts';

/**
 * The linear recurrence over a matrix a head, the heart of linear attention, retention, SSD (Mamba-2) and the delta
 * rules (DeltaNet, Gated DeltaNet, KDA, RWKV-7):
 *
 *     S[t] = diag(w) S[t−1] + b (aᵀ S[t−1]) + Σᵣ kᵣ vᵣᵀ
 *     y[t] = qᵀ S[t],   or qᵀ S[t−1] with `readOut: 'before'`
 *
 * | symbol | role | shape | |
 * | --- | --- | --- | --- |
 * | q | `q` | (H × K) | query, C in SSD |
 * | k | `k` | (H × K), or (H × R × K) | key, B in SSD |
 * | v | `v` | (H × V), or (H × R × V) | value |
 * | w | `decay` | (H × K) or (H × 1) | what is kept; 1 where absent |
 * | a, b | `a`, `b` | (H × K) | what a delta rule takes away; both or neither |
 * | S | state | (H × K × V) | |
 *
 * H is the number of heads of v; q, k, decay, a and b may have fewer, a divisor of it: neighbouring heads share
 * them. Each operand but v is a constant or varies by frame.
 */
export interface MatrixScanAttributes {
  readonly heads: number;
  readonly keys: number;
  readonly values: number;
  /** R: outer products a frame. */
  readonly rank: number;
  readonly readOut: 'after' | 'before';
  /** Sums that nothing takes from: the state is float64, since a float32 sum stands still beyond 2^24 terms. */
  readonly endless: boolean;
  readonly roles: readonly MatrixScanRole[];
}

export type MatrixScanRole = 'q' | 'k' | 'v' | 'decay' | 'a' | 'b';

/** Where an operand of a head stands: heads are shared by neighbours, a decay may be one number for all keys. */
export interface MatrixScanOperand {
  readonly input: number;
  /** Elements from the operand's start to those of each head. */
  readonly offset: Int32Array;
  /** 0 where one number serves all keys. */
  readonly step: number;
}

export interface MatrixScanPrepared {
  readonly operand: Readonly<Partial<Record<MatrixScanRole, MatrixScanOperand>>>;
  readonly projected: Float64Array;
  /** An endless sum for which float32 was asked by name. */
  readonly rounded: boolean;
}

/** Finds the operands of a scan. */
export const prepareMatrixScan = ({
  attributes,
  types,
  precision,
}: PrepareCall<MatrixScanAttributes>): MatrixScanPrepared => {
  const operand: Partial<Record<MatrixScanRole, MatrixScanOperand>> = {};
  attributes.roles.forEach((role, input) => {
    const { shape } = types[input]!;
    const rows = shape[0]!;
    const row = sizeOf(shape) / rows;
    operand[role] = {
      input,
      offset: Int32Array.from(
        { length: attributes.heads },
        (_, h) => Math.floor((h * rows) / attributes.heads) * row,
      ),
      step: row === 1 && role === 'decay' ? 0 : 1,
    };
  });
  const rounded = attributes.endless && precision === 'float32';
  return { operand, projected: new Float64Array(attributes.values), rounded };
};
