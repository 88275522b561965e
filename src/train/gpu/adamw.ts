import type { Plan, Tensor } from '../../backends/gpu/training/index.ts';
import type { Optimizer } from '../optimizer.ts';

/**
 * AdamW over all weights at once, as `adamwStep` defines it.
 *
 * | symbol | name | shape |
 * | --- | --- | --- |
 * | P | numbers of all weights | |
 * | θ, g, m, v | `weights`, `slopes`, `m`, `v` | P |
 * | `rates`, `decays` | settings of each weight | P |
 * | `now` | η's factor, 1/(1 − β₁ᵗ), 1/(1 − β₂ᵗ) | 3 |
 */
export interface AdamwTensors {
  readonly weights: Tensor;
  readonly slopes: Tensor;
  readonly m: Tensor;
  readonly v: Tensor;
  readonly now: Tensor;
  /** ‖g‖², one number. */
  readonly square: Tensor;
}

/** What `now` holds at a step that counts from 0. */
export const adamwNow = (
  { beta1, beta2 }: Optimizer,
  { step, rate }: { readonly step: number; readonly rate: number },
): Float32Array => Float32Array.of(rate, 1 / (1 - beta1 ** (step + 1)), 1 / (1 - beta2 ** (step + 1)));

export function adamwKernels(
  plan: Plan,
  { beta1, beta2, eps, clip, settingsOf }: Optimizer,
  /** Parameters in the order of the weights, with their numbers. */
  parameters: readonly (readonly [name: string, size: number])[],
  { weights, slopes, m, v, now, square }: AdamwTensors,
): { readonly weights: Tensor; readonly m: Tensor; readonly v: Tensor } {
  const size = parameters.reduce((sum, [, count]) => sum + count, 0);
  const rates = new Float32Array(size);
  const decays = new Float32Array(size);
  let offset = 0;
  for (const [name, count] of parameters) {
    const settings = settingsOf(name);
    rates.fill(settings.rate, offset, offset + count);
    decays.fill(settings.rate * settings.decay, offset, offset + count);
    offset += count;
  }
  const rate = plan.literal(rates);
  const decay = plan.literal(decays);
  const factor = clip === Infinity ? '1' : `Math.min(1, ${clip} / (Math.sqrt(square[0]) + 0.000001))`;
  const clipped = `slopes[this.thread.x] * ${factor}`;
  const squared = clip === Infinity ? {} : { square };
  // A weight that is frozen keeps its moments, too.
  const mean = plan.run({
    label: 'AdamW',
    dims: [size],
    inputs: { m, slopes, rate, ...squared },
    body: `if (rate[this.thread.x] === 0) { return m[this.thread.x]; }
return ${beta1} * m[this.thread.x] + ${1 - beta1} * ${clipped};`,
  });
  const variance = plan.run({
    label: 'AdamW',
    dims: [size],
    inputs: { v, slopes, rate, ...squared },
    body: `if (rate[this.thread.x] === 0) { return v[this.thread.x]; }
const slope = ${clipped};
return ${beta2} * v[this.thread.x] + ${1 - beta2} * slope * slope;`,
  });
  const moved = plan.run({
    label: 'AdamW',
    dims: [size],
    inputs: { weights, mean, variance, rate, decay, now },
    body: `const x = this.thread.x;
const step = now[0] * rate[x] * mean[x] * now[1] / (Math.sqrt(variance[x] * now[2]) + ${eps});
return weights[x] * (1 - now[0] * decay[x]) - step;`,
  });
  return { weights: moved, m: mean, v: variance };
}
