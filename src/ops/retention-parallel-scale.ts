import type { Signal } from '../signal/index.ts';
import { defineOp, formatShape, isConstant } from '../signal/index.ts';

/** Above this torchscale lets the weights' sum be, for the sake of float16. */
const MOST = 5e4;

/**
 * What the parallel form of torchscale's retention divides by, at frame t of a sequence and head h:
 *
 *     √s · max(1, min(Σⱼ |q·kⱼ| γ^(t−j) / √s, 5e4)),   s = 1 + γ + … + γᵗ,   j = 0 … t
 *
 * The moduli keep the sum over keys from being a recurrence: every frame looks at all keys there were, so that memory
 * would grow for ever on a stream, which refuses it. It scales a head's output as a whole, which the norm behind it
 * undoes up to its epsilon; official code detaches it, and so it has no gradient.
 *
 * Shapes: q, k (H × K), γ (H), output (H × 1). Source: microsoft/torchscale `multiscale_retention.py`
 * `parallel_forward`, `retnet.py` `RetNetRelPos`.
 */
const parallelScaleOp = defineOp<{ readonly gamma: Float64Array }>({
  name: 'retention-parallel-scale',
  whole: true,
  shape({ gamma: { length: heads } }, [q, k], reject) {
    if (q!.shape[0] !== heads || formatShape(q!.shape) !== formatShape(k!.shape))
      reject(`q ${formatShape(q!.shape)} and k ${formatShape(k!.shape)} must be (${heads} × keys) both`);
    if (isConstant(q!) || isConstant(k!)) reject('q and k must be signals');
    return [heads, 1];
  },
  step() {
    throw new Error('the sum over all keys has no step; compile refuses it before this can be reached');
  },
  long({ attributes: { gamma }, inputs, output, firings }) {
    const [q, k] = inputs;
    const heads = gamma.length;
    const keys = q!.width / heads;
    for (let h = 0; h < heads; h++) {
      for (let t = 0, s = 0; t < firings; t++) {
        s = s * gamma[h]! + 1;
        let weights = 0;
        for (let j = 0; j <= t; j++) {
          let score = 0;
          for (let i = 0; i < keys; i++) {
            const query = q!.data[q!.origin + t * q!.width + h * keys + i]!;
            score += query * k!.data[k!.origin + j * k!.width + h * keys + i]!;
          }
          weights = weights * gamma[h]! + Math.abs(score);
        }
        const root = Math.sqrt(s);
        output.data[output.origin + t * heads + h] = root * Math.max(1, Math.min(weights / root, MOST));
      }
    }
    return true;
  },
  adjoint() {},
});

/**
 * (H × 1): the divisor of torchscale's parallel retention, held constant by gradients. Offline only: `evaluate`,
 * `gradient` and training take it, a stream does not.
 *
 * @throws GraphError where a shape does not fit.
 */
export const retentionParallelScale = (
  { q, k }: { readonly q: Signal; readonly k: Signal },
  gamma: Float64Array,
): Signal => q.trace.apply(parallelScaleOp, { gamma }, [q, k]);
