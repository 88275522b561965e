import {
  layOutWeights,
  lengthOf,
  MOST_INPUTS,
  Network,
  Plan,
  type DevicePipeline,
  type Tensor,
  type TrainingDevice,
} from '../../backends/gpu/training/index.ts';
import { sizeOf, type Environment, type Node } from '../../signal/index.ts';
import type { TrainingJob } from '../session.ts';
import { adamwKernels } from './adamw.ts';
import type { DeviceLoss } from './loss-kernels.ts';
import { lossKernelsOf } from './losses/index.ts';

/**
 * What a pipeline does.
 *
 * | purpose | up | down |
 * | --- | --- | --- |
 * | `step` | batch | loss, norm; weights and moments stay |
 * | `gradients` | batch | loss, gradients |
 * | `evaluate` | batch | loss, outputs |
 *
 * With a loss that has no kernels the outputs come down first (`outputs`), and `step` and `gradients` take the slopes of
 * the outputs up.
 */
export type Purpose = 'step' | 'gradients' | 'evaluate' | 'outputs';

/** Everything that a plan's text depends on. */
export interface BatchShape {
  readonly items: number;
  readonly frames: number;
  /** Frames of the ports that have their own. */
  readonly ownFrames: Readonly<Record<string, number>>;
  /** Numbers an item of each target. */
  readonly targetSizes: Readonly<Record<string, number>>;
}

export interface Built {
  readonly pipeline: DevicePipeline;
  readonly network: Network;
  /** Dimensions of the arguments, by name. */
  readonly dims: ReadonlyMap<string, readonly number[]>;
}

export function build(
  device: TrainingDevice,
  job: TrainingJob,
  environment: Environment,
  purpose: Purpose,
  shape: BatchShape,
): Built {
  const { graph, optimizer } = job;
  const plan = new Plan();
  const layout = layOutWeights(graph);
  const weights = plan.argument('weights', [Math.max(1, layout.size)]);
  const network = new Network(plan, weights, {
    graph,
    environment,
    items: shape.items,
    frames: shape.frames,
    weights: layout,
    ownFrames: (port) => shape.ownFrames[port],
  });
  const found = purpose === 'outputs' ? undefined : lossOf(plan, network, job, shape, purpose);
  if (purpose === 'evaluate' || purpose === 'outputs') {
    if (found?.value) plan.result('loss', found.value);
    for (const [port, node] of graph.outputs) plan.result(`output.${port}`, network.tensor(node));
  } else {
    const trained = (name: string): boolean => optimizer.settingsOf(name).rate !== 0;
    const parameters = [...graph.parameters].map(([name, node]) => [name, sizeOf(node.shape)] as const);
    const gradients = network.backward(found!.seeds, purpose === 'gradients' ? () => true : trained);
    const slopes = pack(plan, gradients, parameters);
    const square = squareSum(plan, slopes);
    const report = plan.run({
      label: 'report',
      dims: [2],
      inputs: { square, ...(found!.value ? { loss: found!.value } : {}) },
      body: `if (this.thread.x > 0.5) { return square[0]; }\nreturn ${found!.value ? 'loss[0]' : '0'};`,
    });
    plan.result('report', report);
    if (purpose === 'gradients') {
      plan.result('slopes', slopes);
    } else {
      const size = layout.size;
      const m = plan.argument('m', [size]);
      const v = plan.argument('v', [size]);
      const now = plan.argument('now', [3]);
      const moved = adamwKernels(plan, optimizer, parameters, { weights, slopes, m, v, now, square });
      plan.result('weights', moved.weights);
      plan.result('m', moved.m);
      plan.result('v', moved.v);
    }
  }
  const dims = new Map(plan.arguments.map(({ name, tensor }) => [name, tensor.dims]));
  return { pipeline: device.compile(plan), network, dims };
}

/** The loss's kernels, or slopes from the host in their place. */
function lossOf(
  plan: Plan,
  network: Network,
  { graph, loss }: TrainingJob,
  { items, targetSizes }: BatchShape,
  purpose: Purpose,
): { readonly value: Tensor | undefined; readonly seeds: DeviceLoss['seeds'] } {
  const kernels = lossKernelsOf(loss);
  if (!kernels) {
    if (purpose === 'evaluate') return { value: undefined, seeds: new Map() };
    const seeds = new Map<Node, Tensor>();
    for (const [port, node] of graph.outputs) {
      seeds.set(node, plan.argument(`slope.${port}`, network.tensor(node).dims));
    }
    return { value: undefined, seeds };
  }
  const targets = new Map<string, Tensor>();
  return kernels({
    plan,
    network,
    graph,
    options: loss.options,
    targetSize: (name) => targetSizes[name],
    target(name, channels) {
      let tensor = targets.get(name);
      if (!tensor) {
        tensor = plan.argument(`target.${name}`, [channels, targetSizes[name]! / channels, items]);
        targets.set(name, tensor);
      }
      return tensor;
    },
  });
}

/** All gradients one behind the other, zeros where a parameter has none. */
function pack(
  plan: Plan,
  gradients: ReadonlyMap<string, Tensor>,
  parameters: readonly (readonly [string, number])[],
): Tensor {
  const total = parameters.reduce((sum, [, size]) => sum + size, 0);
  let offset = 0;
  const pieces: { tensor: Tensor; start: number; size: number }[] = [];
  for (const [name, size] of parameters) {
    const tensor = gradients.get(name);
    if (tensor) pieces.push({ tensor, start: offset, size });
    offset += size;
  }
  // Neighbours become one piece, until one kernel can take them all.
  let level = pieces;
  for (;;) {
    const whole = level.length <= MOST_INPUTS;
    const next: typeof pieces = [];
    for (let first = 0; first < Math.max(1, level.length); first += MOST_INPUTS) {
      const some = level.slice(first, first + MOST_INPUTS);
      const start = whole ? 0 : some[0]!.start;
      const end = whole ? total : some.at(-1)!.start + some.at(-1)!.size;
      const tensor = plan.run({
        label: 'gradients',
        dims: [Math.max(1, end - start)],
        inputs: Object.fromEntries(some.map((piece, i) => [`g${i}`, piece.tensor])),
        body: `const x = this.thread.x;
${some
  .map((piece, i) => {
    const from = piece.start - start;
    return `if (x >= ${from} && x < ${from + piece.size}) { return g${i}[x - ${from}]; }`;
  })
  .join('\n')}
return 0;`,
      });
      next.push({ tensor, start, size: end - start });
    }
    if (whole) return next[0]!.tensor;
    level = next;
  }
}

/** Numbers that a thread adds up. */
const RUN = 64;

/** Σ g², one number. */
function squareSum(plan: Plan, slopes: Tensor): Tensor {
  let [rest, size] = [slopes, lengthOf(slopes.dims)];
  for (let first = true; first || size > 1; first = false) {
    const runs = Math.ceil(size / RUN);
    // Neighbouring threads read neighbouring numbers.
    const term = first ? 'g[x] * g[x]' : 'g[x]';
    rest = plan.run({
      label: 'norm',
      dims: [runs],
      inputs: { g: rest },
      body: `let sum = 0;
for (let i = 0; i < ${RUN}; i++) {
  const x = i * ${runs} + this.thread.x;
  if (x < ${size}) { sum += ${term}; }
}
return sum;`,
    });
    size = runs;
  }
  return rest;
}
