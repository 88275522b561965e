import {
  layOutWeights,
  Network,
  openTrainingDevice,
  Plan,
  type DevicePipeline,
  type Tensor,
  type TrainingDevice,
} from '../../backends/gpu/training/index.ts';
import type { GpuMode } from '../../backends/gpu/index.ts';
import { StreamError } from '../../errors.ts';
import { sizeOf, traceModel, type Graph, type Model, type Node } from '../../signal/index.ts';
import { checkParameters, environmentAt, type Parameters } from '../../stream/constants.ts';
import type { Gradients, LossGradient } from '../gradient.ts';
import type { EvaluateOptions, Sequences } from '../tape.ts';

/** Gradients of single sequences on a device: as `gradient`, by the kernels that train. */
export interface GpuGradients {
  /** What runs. */
  readonly name: string;
  /** @throws BackendError naming the op, where the model has one without kernels. */
  gradient(
    model: Model,
    parameters: Parameters,
    inputs: Sequences,
    lossGradient: LossGradient,
    options?: EvaluateOptions,
  ): Promise<Gradients>;
  close(): Promise<void>;
}

/** The pipelines of a model for sequences of one length. */
interface Compiled {
  readonly graph: Graph;
  readonly ahead: DevicePipeline;
  readonly back: DevicePipeline;
  readonly network: Network;
  /** What the pipelines were made for. */
  readonly model: Model;
  readonly key: string;
}

function compiledFor(
  device: TrainingDevice,
  model: Model,
  key: string,
  graph: Graph,
  { frames, sampleRate }: { readonly frames: number; readonly sampleRate: number | undefined },
): Compiled {
  const environment = environmentAt(graph, sampleRate);
  const weights = layOutWeights(graph);
  const networkOn = (plan: Plan): Network =>
    new Network(plan, plan.argument('weights', [Math.max(1, weights.size)]), {
      graph,
      environment,
      items: 1,
      frames,
      weights,
    });
  const ahead = new Plan();
  const forward = networkOn(ahead);
  for (const [port, node] of graph.outputs) ahead.result(port, forward.tensor(node));

  const plan = new Plan();
  const network = networkOn(plan);
  const seeds = new Map<Node, Tensor>();
  for (const [port, node] of graph.outputs) {
    seeds.set(node, plan.argument(`slope.${port}`, network.tensor(node).dims));
  }
  const byPort = new Map<string, Tensor>();
  const gradients = network.backward(seeds, () => true, byPort);
  for (const [name, tensor] of gradients) plan.result(`parameter.${name}`, tensor);
  for (const [port, tensor] of byPort) plan.result(`port.${port}`, tensor);
  return { graph, ahead: device.compile(ahead), back: device.compile(plan), network, model, key };
}

/**
 * A device to compute gradients on, for comparisons with other backends. Training itself goes through `gpuTraining`.
 *
 * @throws BackendError where the mode is missing here.
 */
export async function gpuGradients(mode: GpuMode): Promise<GpuGradients> {
  const device = await openTrainingDevice(mode);
  // The items of a batch come one behind the other, and share their pipelines.
  let last: Compiled | undefined;
  const forget = async (): Promise<void> => {
    const old = last;
    last = undefined;
    await old?.ahead.destroy();
    await old?.back.destroy();
  };
  return {
    name: `gpu.js ${mode} (${device.adapter})`,
    async close() {
      await forget();
      await device.close();
    },
    async gradient(model, parameters, inputs, lossGradient, options = {}) {
      const { irregular = false, sampleRate } = options;
      const [port0, data0] = Object.entries(inputs)[0]!;
      const key = JSON.stringify([irregular, sampleRate, port0, data0.length]);
      if (last?.model !== model || last.key !== key) {
        await forget();
        const graph = traceModel(model, irregular ? 'port' : 'constant');
        const width = sizeOf(graph.inputs.get(port0)!.shape);
        last = compiledFor(device, model, key, graph, { frames: data0.length / width, sampleRate });
      }
      const { graph, ahead, back, network } = last;
      const { offsets, size } = layOutWeights(graph);
      const values = new Float32Array(Math.max(1, size));
      for (const [name, data] of checkParameters(graph, parameters)) values.set(data, offsets.get(name)!);
      const frames = data0.length / sizeOf(graph.inputs.get(port0)!.shape);
      const given = new Map([
        ['weights', values],
        ['lengths', network.lengthsOf([frames])],
      ]);
      const padded = frames + graph.endPadding(frames);
      for (const [port, node] of graph.inputs) {
        const data = new Float32Array(padded * sizeOf(node.shape));
        data.set(inputs[port]!);
        given.set(`input.${port}`, data);
      }

      const found = await ahead.run(given, []);
      const outputs = Object.fromEntries(
        [...graph.outputs.keys()].map((port) => [port, Float64Array.from(found.get(port)!)]),
      );
      const slopes = lossGradient(outputs);
      for (const port of graph.outputs.keys()) {
        const slope = slopes[port];
        if (slope?.length !== outputs[port]!.length) {
          throw new StreamError(
            `the gradient of output "${port}" has ${slope?.length ?? 'no'} values, the output ${outputs[port]!.length}; give one for each`,
          );
        }
        given.set(`slope.${port}`, Float32Array.from(slope));
      }
      const results =
        back.plan.results.length > 0 ? await back.run(given, []) : new Map<string, Float32Array>();
      const zeros = (node: Node, count: number): Float64Array => new Float64Array(count * sizeOf(node.shape));
      return {
        outputs,
        parameters: new Map(
          [...graph.parameters].map(([name, node]) => {
            const data = results.get(`parameter.${name}`);
            return [name, data ? Float64Array.from(data) : zeros(node, 1)];
          }),
        ),
        inputs: Object.fromEntries(
          [...graph.inputs].map(([port, node]) => {
            const data = results.get(`port.${port}`);
            return [
              port,
              data ? Float64Array.from(data.subarray(0, frames * sizeOf(node.shape))) : zeros(node, frames),
            ];
          }),
        ),
      };
    },
  };
}
