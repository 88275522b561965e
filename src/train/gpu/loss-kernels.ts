import type { Network, Plan, Tensor } from '../../backends/gpu/training/index.ts';
import type { Graph, Node } from '../../signal/index.ts';
import type { Loss } from '../loss.ts';

/** What a loss's kernels are written with. */
export interface LossContext {
  readonly plan: Plan;
  readonly network: Network;
  readonly graph: Graph;
  readonly options: Loss['options'];
  /** Numbers that one item of the batch brings for a target; undefined where it brings none. */
  readonly targetSize: (name: string) => number | undefined;
  /** The argument that holds a target: items × frames × channels. */
  readonly target: (name: string, channels: number) => Tensor;
}

export interface DeviceLoss {
  /** The mean over the items; one number. */
  readonly value: Tensor;
  /** ∂value/∂output, frames that don't count being 0. */
  readonly seeds: ReadonlyMap<Node, Tensor>;
}

/** A loss on the device. */
export type LossKernels = (context: LossContext) => DeviceLoss;
