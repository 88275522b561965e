import { recursiveLeastSquares, select } from '../../ops/index.ts';
import { sizeOf, type Layer, type Model } from '../../signal/index.ts';

export interface OnlineReadoutOptions {
  /** What makes the features: any layer, which stands still. Its output of n numbers is read by W (m × n). */
  readonly features: Layer;
  /** m: numbers in the target. */
  readonly outputs: number;
  /** λ: a memory of 1 / (1 − λ) frames; 1 by default: nothing is forgotten. */
  readonly forgetting?: number;
  /** What keeps the weights near the parameter `weight` while little has been seen; 1e-3. */
  readonly ridge?: number;
  /** A port `learn`, one number a frame: it learns where that is above 0. Without it, from every frame. */
  readonly gated?: boolean;
}

/**
 * A read-out that is fitted by recursive least squares while it streams, on features that stand still: ports `input`
 * and `target`, output the prediction (m), made before the target was seen.
 *
 * | parameter | shape |
 * | --- | --- |
 * | `weight` | (m × n), where it begins; zeros when initialised |
 * | `features.…` | those of the layer |
 *
 * @throws GraphError where forgetting or ridge are out of range, or a gradient is asked for.
 * @example
 * const model = onlineReadout({ features: s4d({ features: 1, states: 16 }), outputs: 1, forgetting: 0.999 });
 * const stream = compile(model, initialise(model, 1));
 */
export function onlineReadout(options: OnlineReadoutOptions): Model {
  const { features, outputs, forgetting, ridge, gated = false } = options;
  return {
    name: `online-readout(${features.name})`,
    inputs: {
      input: features.inputs['input']!,
      target: [outputs],
      ...(gated ? { learn: [1] } : {}),
    },
    sampleRate: features.sampleRate,
    build(trace, { input, target, learn }) {
      const phi = features.apply(trace.scope('features'), input!);
      const shape = [outputs, sizeOf(phi.shape)] as const;
      const weight = trace.parameter('weight', shape, ([m, n]) => new Float64Array(m! * n!));
      const fitted = recursiveLeastSquares(phi, target!, {
        weight,
        learn,
        ...(forgetting === undefined ? {} : { forgetting }),
        ...(ridge === undefined ? {} : { ridge }),
      });
      return { output: select(fitted, 0, 0) };
    },
  };
}
