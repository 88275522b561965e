import { gruCell } from '../ops/index.ts';
import type { Layer } from '../signal/index.ts';
import { recurrent, type RecurrentOptions } from './recurrent.ts';

export interface GruOptions extends RecurrentOptions {
  /** Whether r applies `after` the product with W_hn (default: torch, Keras 2) or `before` it (Keras `reset_after=False`). */
  readonly reset?: 'after' | 'before';
}

/**
 * Gated recurrent unit, as torch `nn.GRU`: gates r, z, n; (features) → (hidden).
 *
 *     r, z = σ(W_i x[k] + b_i + W_h h[k−1] + b_h),   n = tanh(W_in x[k] + b_in + r ⊙ (W_hn h[k−1] + b_hn))
 *     h[k] = (1 − z) ⊙ n + z ⊙ h[k−1]
 *
 * | parameter, of each layer l | shape |
 * | --- | --- |
 * | `weight_ih_l<l>` | (3H × features), (3H × H) above the first |
 * | `weight_hh_l<l>` | (3H × H) |
 * | `bias_ih_l<l>`, `bias_hh_l<l>` | (3H), with `bias` |
 * | `h0_l<l>` | (H), with `initialState` |
 *
 * On a stream: causal, no latency, 4 H bytes of state a layer. It counts frames: no other rate, no irregular time.
 *
 * Source: Cho et al., "Learning Phrase Representations using RNN Encoder–Decoder" (arXiv 1406.1078).
 *
 * @throws GraphError for sizes that are no whole numbers, and for `bidirectional`.
 * @example
 * const model = gru({ features: 1, hidden: 16 });
 * const stream = compile(model, initialise(model, 1));
 */
export const gru = ({ reset = 'after', ...options }: GruOptions): Layer =>
  recurrent(
    {
      name: 'gru',
      gates: 3,
      states: ['h'],
      cell: (gx, { weight, bias, initial: [initial] }) => gruCell(gx, { weight, bias, initial, reset }),
    },
    options,
  );
