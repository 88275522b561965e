import { ArgumentError } from '../errors.ts';
import { fans, xavierUniform, type Random } from '../init/index.ts';
import {
  dense,
  diagonalScan,
  div,
  everyFrame,
  given,
  mul,
  normalise,
  reshape,
  retention as retentionScan,
  retentionChunkScale,
  retentionDecays,
  retentionParallelScale,
  rotary,
  silu,
  sqrt,
} from '../ops/index.ts';
import { defineLayer, sizeOf, type Layer, type Shape, type Signal } from '../signal/index.ts';
import { headDim } from './attention.ts';

/** Configuration of `retention`. */
export interface RetentionOptions {
  /** `embed_dim`. */
  readonly features: number;
  /** H: `num_heads`; divides the features, which gives K, and the values. */
  readonly heads: number;
  /** `value_dim`: numbers in all heads' values together; twice the features. */
  readonly values?: number;
  /** Which of the official forms; they differ in what they divide by before the norm. `recurrent`. */
  readonly form?: RetentionForm;
  /** Epsilon of the norm; 1e-6. */
  readonly eps?: number;
}

/** `chunk`: frames in a chunk, `recurrent_chunk_size`. */
export type RetentionForm = 'recurrent' | 'parallel' | { readonly chunk: number };

/**
 * Multi-scale retention, the layer of RetNet, as in microsoft/torchscale `MultiScaleRetention` with `RetNetRelPos`.
 * Norm and residual of the block are outside.
 *
 *     q, k, v, g = projections of x;    q, k turned by position, neighbours pairwise;    k scaled by 1/√K
 *     S[t] = γ S[t−1] + k vᵀ,    s[t] = γ s[t−1] + 1,    γ = 1 − 2^(−5−h)
 *     y = out_proj(SiLU(g) · RMSNorm(qᵀ S[t] / d[t]))
 *
 * | form | d[t] |
 * | --- | --- |
 * | `recurrent` | √s: the official state is S/√s, this one's is S |
 * | `{ chunk }` | see `retentionChunkScale` |
 * | `parallel` | see `retentionParallelScale`: offline only, since it looks at all keys there were |
 *
 * d is one number a head and frame: after the norm the forms agree but for its epsilon.
 *
 * | parameter | shape |
 * | --- | --- |
 * | `q_proj.weight`, `k_proj.weight` | (features × features) |
 * | `v_proj.weight`, `g_proj.weight` | (values × features) |
 * | `out_proj.weight` | (features × values) |
 *
 * On a stream: no latency, features · values / H numbers of state; positions stay exact for days. It counts frames, so
 * it does not follow another sample rate.
 *
 * Source: Sun et al., "Retentive Network" (arXiv 2307.08621), §2.
 *
 * @throws ArgumentError where the heads do not divide the features and the values, or leave an odd K.
 * @example
 * const model = retention({ features: 64, heads: 4 });
 */
export function retention(options: RetentionOptions): Layer {
  const { features, heads, values = 2 * features, form = 'recurrent', eps = 1e-6 } = options;
  const keys = headDim('retention', features, heads);
  if (keys % 2 !== 0) {
    throw new ArgumentError(
      `retention: ${features} features in ${heads} heads leave ${keys} numbers a head; positions turn pairs, so give ` +
        'an even number',
    );
  }
  const perHead = headDim('retention', values, heads);
  const gamma = retentionDecays(heads);
  // numpy's linspace(0, 1, K/2): both ends are in it.
  const angles = Array.from({ length: keys / 2 }, (_, i) => 10_000 ** -(i / Math.max(1, keys / 2 - 1)));
  return defineLayer({
    name: 'retention',
    features,
    apply(trace, x) {
      const project = (input: Signal, name: string, outputs: number, gain: number): Signal =>
        dense(input, trace.parameter(`${name}.weight`, [outputs, input.width], xavier(gain)));
      const turned = (name: string): Signal =>
        rotary(reshape(project(x, name, features, SMALL), [heads, keys]), { angles, layout: 'interleaved' });

      const q = turned('q_proj');
      const k = mul(turned('k_proj'), keys ** -0.5);
      const v = reshape(project(x, 'v_proj', values, SMALL), [heads, perHead]);
      const g = project(x, 'g_proj', values, SMALL);

      const decay = trace.literal(gamma, [heads, 1]);
      const scan = (): Signal => retentionScan({ q, k, v, gamma: decay, scale: 1 });
      const retained = (): Signal => {
        if (form === 'recurrent') {
          const one = everyFrame(x, trace.literal(new Float64Array(heads).fill(1), [heads]));
          const s = diagonalScan(one, { a: decay, method: given, states: 1 });
          return div(scan(), reshape(sqrt(s), [heads, 1]));
        }
        if (form === 'parallel') return div(scan(), retentionParallelScale({ q, k }, gamma));
        return div(scan(), retentionChunkScale({ q, k, v }, { gamma, ...form }));
      };
      const y = normalise(retained(), { groups: heads, centre: false, eps });
      return project(mul(silu(g), reshape(y, [values])), 'out_proj', features, 1);
    },
  });
}

/** torchscale's gain for all projections but the last. */
const SMALL = 2 ** -2.5;

const xavier =
  (gain: number) =>
  (shape: Shape, random: Random): Float64Array =>
    xavierUniform(new Float64Array(sizeOf(shape)), random, fans(shape), gain);
