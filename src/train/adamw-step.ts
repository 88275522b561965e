import type { FloatArray } from '../signal/index.ts';
import type { Optimizer, ParameterSettings } from './optimizer.ts';

/**
 * One step of AdamW on one parameter, in place, computed in float64.
 *
 * | symbol | name | |
 * | --- | --- | --- |
 * | θ | weights | |
 * | g | slopes | ∂loss/∂θ times the clipping factor |
 * | m, v | moments | running means of g and g² |
 * | η, λ | rate, decay | of the parameter, η times the schedule's factor |
 * | t | step | from 1 |
 *
 *     θ ← θ − η λ θ
 *     m ← β₁ m + (1 − β₁) g,   v ← β₂ v + (1 − β₂) g²
 *     θ ← θ − η (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + ε)
 *
 * Source: Loshchilov & Hutter (arXiv 1711.05101), algorithm 2, with the decay scaled by η as PyTorch does it.
 *
 * @param at `step` from 0, `rate` of the schedule, `scale` of the slopes (clipping).
 */
export function adamwStep(
  weights: FloatArray,
  slopes: FloatArray,
  m: FloatArray,
  v: FloatArray,
  { beta1, beta2, eps }: Pick<Optimizer, 'beta1' | 'beta2' | 'eps'>,
  settings: ParameterSettings,
  at: { readonly step: number; readonly rate: number; readonly scale: number },
): void {
  const rate = settings.rate * at.rate;
  if (settings.rate === 0) return;
  const shrink = 1 - rate * settings.decay;
  const mScale = 1 / (1 - beta1 ** (at.step + 1));
  const vScale = 1 / (1 - beta2 ** (at.step + 1));
  for (let i = 0; i < weights.length; i++) {
    const slope = slopes[i]! * at.scale;
    const mean = beta1 * m[i]! + (1 - beta1) * slope;
    const square = beta2 * v[i]! + (1 - beta2) * slope * slope;
    m[i] = mean;
    v[i] = square;
    weights[i] = weights[i]! * shrink - (rate * mean * mScale) / (Math.sqrt(square * vScale) + eps);
  }
}

/** The factor that brings a gradient of norm `norm` down to `clip`; torch's `clip_grad_norm_`. */
export const clippingFactor = (norm: number, clip: number): number => Math.min(1, clip / (norm + 1e-6));
