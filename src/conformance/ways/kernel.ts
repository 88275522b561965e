import type { Node } from '../../signal/index.ts';
import { traceModel } from '../../signal/index.ts';
import type { Run, Subject, Way } from '../case.ts';
import { precisionOf, streamTo } from '../open.ts';
import { table } from './table.ts';

/**
 * The convolution kernel of the systems inside a layer, without what stands around them: the response of a
 * stream that ends at `node` to one frame of ones. The channels are independent, so one impulse serves all.
 *
 * @returns channels × length, as the official kernels are stored.
 */
export function impulseResponse(
  subject: Subject,
  run: Run,
  node: (nodes: readonly Node[]) => Node,
  length: number,
): Float64Array {
  const graph = traceModel(run.model);
  const precision = precisionOf(subject, run);
  const { backend } = subject.settings;
  const stream = streamTo(graph, node(graph.nodes), run.parameters, { backend, precision });
  const input = new Float64Array(length * stream.inputChannels).fill(1, 0, stream.inputChannels);
  const frames = stream.push(input);
  const channels = stream.outputChannels;
  const kernel = new Float64Array(channels * length);
  for (let k = 0; k < length; k++)
    for (let h = 0; h < channels; h++) kernel[h * length + k] = frames[k * channels + h];
  return kernel;
}

/**
 * The tensor `kernel` (read-outs × channels × length) against the responses of inner streams, one a read-out.
 *
 * @param nodes the inner signals among a graph's nodes, in the order of the read-outs.
 */
export function kernel(subject: Subject, nodes: (all: readonly Node[]) => readonly Node[]): Way {
  const { golden, runs } = subject;
  return table(golden, [
    {
      tensor: 'kernel',
      values() {
        const length = golden.tensor('kernel').shape.at(-1)!;
        const { model } = runs[0];
        const count = nodes(traceModel(model).nodes).length;
        const parts = Array.from({ length: count }, (_, c) =>
          impulseResponse(subject, runs[0], (all) => nodes(all)[c], length),
        );
        return parts.flatMap((part) => [...part]);
      },
    },
  ]);
}
