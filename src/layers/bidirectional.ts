import { add, concat, mul, reverse, split } from '../ops/index.ts';
import { defineLayer, sizeOf, type Layer, type Signal, type Trace } from '../signal/index.ts';
import { linear } from './linear.ts';
import { selectiveBranch, type MambaOptions } from './mamba.ts';

/** A layer on the sequence backwards in time, its output turned round again. */
const backwards = (apply: (x: Signal) => Signal, x: Signal): Signal => reverse(apply(reverse(x)));

export interface BidirectionalOptions {
  /** `sum` (default): both outputs added; `concat`: side by side, the forward one first. */
  readonly join?: 'sum' | 'concat';
}

/**
 * Two layers over one sequence, one forwards and one backwards in time: parameters `forward.…` and `backward.…`.
 *
 * Needs its last frame before it can give its first: `evaluate` runs it and it trains, but a stream refuses it and says
 * so. On a stream, use the forward layer alone, or a layer with a look-ahead of so many frames (`advance`).
 *
 * @param make makes both layers, so that they share a configuration and not their weights.
 * @example
 * const model = bidirectional(() => s4d({ features: 4, states: 16 }));
 */
export function bidirectional(make: () => Layer, { join = 'sum' }: BidirectionalOptions = {}): Layer {
  const [there, back] = [make(), make()];
  return defineLayer({
    name: `bidirectional(${there.name})`,
    features: sizeOf(there.inputs['input']!),
    sampleRate: there.sampleRate,
    apply(trace, x) {
      const ahead = there.apply(trace.scope('forward'), x);
      const behind = backwards((turned) => back.apply(trace.scope('backward'), turned), x);
      return join === 'sum' ? add(ahead, behind) : concat([ahead, behind]);
    },
  });
}

/** Configuration of `visionMamba`. */
export interface VisionMambaOptions extends Omit<MambaOptions, 'innerNorms'> {
  /** `if_divide_out`: the mean of both directions instead of their sum. */
  readonly divideOut?: boolean;
}

/**
 * The bidirectional Mamba mixer of Vision Mamba (`bimamba_type="v2"`): the projections are shared, each direction has a
 * convolution, a selective scan and a gate of its own. Names as in hustvl/Vim's `mamba_simple.py`: those of `mamba`, and
 * for the way back `conv1d_b`, `x_proj_b`, `dt_proj_b`, `A_b_log`, `D_b`.
 *
 *     out = out_proj(branch(x, z) + reverse(branch_b(reverse x, reverse z)))
 *
 * Offline only, as `bidirectional`.
 *
 * Source: Zhu et al., "Vision Mamba: Efficient Visual Representation Learning with Bidirectional State Space Model"
 * (arXiv 2401.09417), algorithm 1.
 *
 * @example
 * const { output } = evaluate(model, initialise(model, 1), { input });
 */
export function visionMamba(options: VisionMambaOptions): Layer {
  const { features, inner = 2 * features, bias = false, divideOut = false } = options;
  return defineLayer({
    name: 'vision-mamba',
    features,
    apply(trace: Trace, u: Signal) {
      const [x, z] = split(linear(trace, u, { name: 'in_proj', outputs: 2 * inner, bias }), [inner, inner]);
      const there = selectiveBranch(trace, x!, z!, options);
      const back = reverse(selectiveBranch(trace, reverse(x!), reverse(z!), options, '_b'));
      const both = add(there, back);
      return linear(trace, divideOut ? mul(both, 0.5) : both, { name: 'out_proj', outputs: features, bias });
    },
  });
}
