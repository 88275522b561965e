import { initialise } from '../../../src/layers/initialise.ts';
import { add, mul, relu } from '../../../src/ops/index.ts';
import { defineLayer } from '../../../src/signal/index.ts';
import { reference } from '../../../src/backends/reference/index.ts';
import { atMost, timed, type Contender, type Contest } from '../contest.ts';
import { noise } from '../noise.ts';
import { OnnxGraph } from '../onnx/graph.ts';
import { stateful } from '../onnx/stateful.ts';
import { ours } from '../ours.ts';
import { onnxRuntime } from '../peers/onnxruntime.ts';

/** Ten times a product, a sum and a rectifier: 30 ops on one number. */
const TRIPLES = 10;

const model = defineLayer({
  name: 'tiny-ops',
  features: 1,
  apply(trace, u) {
    let x = u;
    for (let i = 0; i < TRIPLES; i++) {
      const number = (name: string, value: number) =>
        trace.parameter(`${name}.${i}`, [1], () => Float64Array.of(value));
      x = relu(add(mul(x, number('scale', 1 + i / 100)), number('shift', 0.01 * (i % 3))));
    }
    return x;
  },
});
const parameters = initialise(model, 1);
const scale = Float32Array.from({ length: TRIPLES }, (_, i) => parameters.get(`scale.${i}`)![0]!);
const shift = Float32Array.from({ length: TRIPLES }, (_, i) => parameters.get(`shift.${i}`)![0]!);

/** What a person would write by hand: one loop, the arithmetic in float32. */
function byHand(): Contender {
  const [input, output] = [noise(1), new Float32Array(1)];
  const step = (u: number): number => {
    let x = u;
    for (let i = 0; i < TRIPLES; i++) x = Math.max(0, Math.fround(Math.fround(x * scale[i]!) + shift[i]!));
    return x;
  };
  return timed('JavaScript by hand', 1, () => (output[0] = step(input[0]!)), {
    answer: (probe) => probe.map(step),
  });
}

async function inOnnx(): Promise<Contender> {
  const graph = new OnnxGraph();
  let x = graph.input('u', [1, 1]);
  for (let i = 0; i < TRIPLES; i++) {
    const scaled = graph.add('Mul', [x, graph.constant([scale[i]!], [1])]);
    x = graph.add('Relu', [graph.add('Add', [scaled, graph.constant([shift[i]!], [1])])]);
  }
  graph.output('y', x, [1, 1]);
  return stateful(await onnxRuntime(), { form: '30 nodes', graph, states: {}, channels: 1, block: 1 });
}

export const tinyOpsContests: readonly Contest[] = [
  {
    name: 'plan of 30 tiny ops block1',
    about: 'A chain of 30 pointwise ops on one number, one sample a call: what the plan itself costs.',
    open: () => ours(model, parameters, { block: 1 }),
    probe: noise(256, 9),
    peers: [
      { name: 'onnxruntime-node', open: inOnnx, target: atMost(1000, 'ours ≤ 1 µs') },
      { name: 'JavaScript by hand', open: byHand },
      {
        name: 'statewave reference',
        open: () => ours(model, parameters, { block: 1, backend: reference, name: 'statewave reference' }),
      },
    ],
  },
];
