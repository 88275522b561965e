import {
  layOutWeights,
  Network,
  openTrainingDevice,
  Plan,
  type Tensor,
} from '../../backends/gpu/training/index.ts';
import type { GpuMode } from '../../backends/gpu/index.ts';
import { StreamError } from '../../errors.ts';
import { sizeOf, traceModel, type Model, type Node } from '../../signal/index.ts';
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

/**
 * A device to compute gradients on, for comparisons with other backends. Training itself goes through `gpuTraining`.
 *
 * @throws BackendError where the mode is missing here.
 */
export async function gpuGradients(mode: GpuMode): Promise<GpuGradients> {
  const device = await openTrainingDevice(mode);
  return {
    name: `gpu.js ${mode} (${device.adapter})`,
    close: () => device.close(),
    async gradient(model, parameters, inputs, lossGradient, options = {}) {
      const graph = traceModel(model, options.irregular === true ? 'port' : 'constant');
      const environment = environmentAt(graph, options.sampleRate);
      const weights = layOutWeights(graph);
      const values = new Float32Array(Math.max(1, weights.size));
      for (const [name, data] of checkParameters(graph, parameters)) {
        values.set(data, weights.offsets.get(name)!);
      }
      const given = new Map([['weights', values]]);
      const ports = [...graph.inputs].map(([port, node]) => ({ port, width: sizeOf(node.shape) }));
      const [first] = ports;
      const frames = inputs[first!.port]!.length / first!.width;
      const padded = frames + graph.endPadding(frames);
      for (const { port, width } of ports) {
        const data = new Float32Array(padded * width);
        data.set(inputs[port]!);
        given.set(`input.${port}`, data);
      }
      const network = (plan: Plan): Network =>
        new Network(plan, plan.argument('weights', [values.length]), {
          graph,
          environment,
          items: 1,
          frames,
          weights,
        });
      const run = async (
        plan: Plan,
        more: ReadonlyMap<string, Float32Array>,
      ): Promise<Map<string, Float32Array>> => {
        const pipeline = device.compile(plan);
        try {
          return await pipeline.run(new Map([...given, ...more]), []);
        } finally {
          await pipeline.destroy();
        }
      };

      const ahead = new Plan();
      const forward = network(ahead);
      for (const [port, node] of graph.outputs) ahead.result(port, forward.tensor(node));
      const lengths = new Map([['lengths', forward.lengthsOf([frames])]]);
      const found = await run(ahead, lengths);
      const outputs = Object.fromEntries(
        [...graph.outputs.keys()].map((port) => [port, Float64Array.from(found.get(port)!)]),
      );
      const slopes = lossGradient(outputs);

      const plan = new Plan();
      const back = network(plan);
      const seeds = new Map<Node, Tensor>();
      const more = new Map(lengths);
      for (const [port, node] of graph.outputs) {
        const slope = slopes[port];
        if (slope?.length !== outputs[port]!.length) {
          throw new StreamError(
            `the gradient of output "${port}" has ${slope?.length ?? 'no'} values, the output ${outputs[port]!.length}; give one for each`,
          );
        }
        seeds.set(node, plan.argument(`slope.${port}`, back.tensor(node).dims));
        more.set(`slope.${port}`, Float32Array.from(slope));
      }
      const byPort = new Map<string, Tensor>();
      const gradients = back.backward(seeds, () => true, byPort);
      for (const [name, tensor] of gradients) plan.result(`parameter.${name}`, tensor);
      for (const [port, tensor] of byPort) plan.result(`port.${port}`, tensor);
      const results = plan.results.length > 0 ? await run(plan, more) : new Map<string, Float32Array>();
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
