import { lstmCell } from '../ops/index.ts';
import type { Layer } from '../signal/index.ts';
import { recurrent, type RecurrentOptions } from './recurrent.ts';

export type LstmOptions = RecurrentOptions;

/**
 * Long short-term memory, as torch `nn.LSTM`: gates i, f, g, o; (features) → (hidden).
 *
 *     a = W_ih x[k] + b_ih + W_hh h[k−1] + b_hh
 *     c[k] = σ(a_f) ⊙ c[k−1] + σ(a_i) ⊙ tanh(a_g),   h[k] = σ(a_o) ⊙ tanh(c[k])
 *
 * | parameter, of each layer l | shape |
 * | --- | --- |
 * | `weight_ih_l<l>` | (4H × features), (4H × H) above the first |
 * | `weight_hh_l<l>` | (4H × H) |
 * | `bias_ih_l<l>`, `bias_hh_l<l>` | (4H), with `bias` |
 * | `h0_l<l>`, `c0_l<l>` | (H), with `initialState` |
 *
 * On a stream: causal, no latency, 8 H bytes of state a layer. It counts frames: no other rate, no irregular time.
 *
 * Source: Hochreiter & Schmidhuber, "Long Short-Term Memory" (1997); Gers, Schmidhuber & Cummins (2000).
 *
 * @throws GraphError for sizes that are no whole numbers, and for `bidirectional`.
 * @example
 * const model = lstm({ features: 1, hidden: 16, layers: 2 });
 * const stream = compile(model, initialise(model, 1));
 */
export const lstm = (options: LstmOptions): Layer =>
  recurrent(
    {
      name: 'lstm',
      gates: 4,
      states: ['h', 'c'],
      cell: (gx, { weight, bias, initial: [h, c] }) =>
        lstmCell(gx, { weight, bias, initial: h && c && { h, c } }),
    },
    options,
  );
