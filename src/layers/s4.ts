import { ArgumentError } from '../errors.ts';
import { nplr, type HippoMeasure } from '../init/index.ts';
import { concat, dplrScan, mul, plainReadOut, reshape } from '../ops/index.ts';
import type { Layer, Signal } from '../signal/index.ts';
import { interleaved, s4Block, type S4CommonOptions } from './s4-block.ts';
import { repeat } from './s4d.ts';

/** Configuration of `s4`. */
export interface S4Options extends S4CommonOptions {
  /** `init`: the HiPPO measure that A, B and P start from; `legs`. */
  readonly init?: HippoMeasure;
  /** R: `rank` of the correction; by default the measure's own (legt 2, others 1). */
  readonly rank?: number;
}

/**
 * The full S4 block with its own kernel, diagonal plus low rank (`mode='s4'`), as in state-spaces/s4
 * `models/s4/s4.py`: the state space layer, GELU, a linear layer to 2H and a GLU. Always by the bilinear rule.
 *
 *     A = Λ − P P*,   Λ = −exp(A_real) − i A_imag,   dt = exp(inv_dt)
 *     x[k] = Ā x[k−1] + B̄ u[k],   y[k] = 2 Re(C x[k]) + D u[k]
 *
 * | parameter | shape |
 * | --- | --- |
 * | `layer.D` | (channels × H) |
 * | `layer.kernel.inv_dt` | (H × 1) |
 * | `layer.kernel.A_real`, `layer.kernel.A_imag` | (S × N/2) |
 * | `layer.kernel.P` | (R × S × N/2 × 2): re, im |
 * | `layer.kernel.B` | (1 × S × N/2 × 2) |
 * | `layer.kernel.C` | (channels × H × N/2 × 2) |
 * | `layer.kernel.l_kernel` | (1): the length L that C̃ is stored for, 0 where it is C itself |
 * | `output_linear.0.weight`, `.bias` | (2H × channels·H), (2H) |
 *
 * The official code trains C̃ = (I − Āᴸ)ᵀ C; `compile` undoes that once, in float64. Fresh parameters hold C itself and
 * are trained so; `plainReadOuts` turns imported ones into that.
 *
 * On a stream: causal, no latency, 8 N H bytes of state a read-out, follows another rate and irregular time.
 *
 * Source: Gu, Goel, Ré, "Efficiently Modeling Long Sequences with Structured State Spaces" (arXiv 2111.00396), §3;
 * initialisation from HiPPO (2206.12037).
 *
 * @throws ArgumentError for an odd number of states, or a rank below the measure's own.
 * @example
 * const model = s4({ features: 4, states: 16, init: 'legt' });
 */
export function s4(options: S4Options): Layer {
  const { features, states = 64, systems = features, init = 'legs', rank = 0 } = options;
  if (features % systems !== 0)
    throw new ArgumentError(
      `s4: ${systems} systems for ${features} channels; give a number that divides them`,
    );
  const half = states / 2;
  const { W, P: pInit, B } = nplr(init, states, { rank });
  const R = pInit.re.length / half;
  return s4Block('s4-block', options, { A: W, B, dtColumns: 1 }, (trace, system) => {
    const P = trace.parameter('P', [R, systems, half, 2], () => {
      const rows = interleaved(pInit);
      const row = (r: number): Float64Array => rows.subarray(r * states, (r + 1) * states);
      return Float64Array.from(Array.from({ length: R }, (_, r) => [...repeat(systems, row(r))]).flat());
    });
    const lKernel = trace.parameter('l_kernel', [1], () => new Float64Array(1));
    const column = (x: Signal): Signal => reshape(x, [features, half, 1]);
    const lambda = concat([column(system.re), column(system.im)]);
    const p = system.perChannel(P, 1);
    const dt = reshape(system.dt, [features]);
    const step = mul(dt, trace.timeScale());
    return {
      C: plainReadOut(system.C, { length: lKernel, lambda, p, dt }),
      readOut: (u, c) => dplrScan(u, { lambda, p, b: system.B, c, dt: step }),
    };
  });
}
