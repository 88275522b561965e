/** The channel mixing of RWKV-6 and 7, as flash-linear-attention's models have it: what a block does beside its scan. */
import { normal, type Random } from '../init/index.ts';
import { add, delay, mul, relu, sigmoid, square, sub } from '../ops/index.ts';
import { sizeOf, type Shape, type Signal, type Trace } from '../signal/index.ts';
import { zeros } from './initialisers.ts';
import { each, orthogonalBy, project, type RwkvPlace } from './rwkv-parts.ts';

/** x ↦ x + μ (x[t−1] − x). */
function shifted(x: Signal): (mu: Signal) => Signal {
  const delta = sub(delay(x, 1), x);
  return (mu) => add(x, mul(delta, mu));
}

const small = (shape: Shape, random: Random): Float64Array =>
  normal(new Float64Array(sizeOf(shape)), random, 0, 0.02);

/**
 * σ(R x_r) ⊙ V relu(K x_k)², as `RWKV6FeedForward`: `key.mu` (C), `key.linear.weight` (F × C), `receptance.mu` (C),
 * `receptance.linear.weight` (C × C), `value.weight` (C × F).
 *
 * Source: arXiv 2404.05892, §4.3; `fla/models/rwkv6/modeling_rwkv6.py`.
 */
export function rwkv6FeedForward(trace: Trace, x: Signal, hidden: number): Signal {
  const mix = shifted(x);
  const lerp = (name: string, width: number): Signal => {
    const at = trace.scope(name);
    return project(at, mix(at.parameter('mu', [x.width], zeros)), 'linear', width, small);
  };
  const value = project(trace, square(relu(lerp('key', hidden))), 'value', x.width, small);
  return mul(sigmoid(lerp('receptance', x.width)), value);
}

/**
 * V relu(K x_k)², as `RWKV7FeedForward`: `x_k` (C), `key.weight` (F × C), `value.weight` (C × F).
 *
 * Source: arXiv 2503.14456, §4; `fla/models/rwkv7/modeling_rwkv7.py`.
 */
export function rwkv7FeedForward(trace: Trace, x: Signal, hidden: number, place: RwkvPlace): Signal {
  const { index = 0, layers = 1 } = place;
  const power = (1 - index / layers) ** 4;
  const mu = trace.parameter(
    'x_k',
    [x.width],
    each((i, n) => 1 - (i / n) ** power),
  );
  const key = project(trace, shifted(x)(mu), 'key', hidden, orthogonalBy());
  return project(trace, square(relu(key)), 'value', x.width, zeros);
}
