import { expect, it } from 'vitest';
import { initialise, s4d } from '../../src/layers/index.ts';
import { compile } from '../../src/stream/index.ts';

// In a file of its own: kernels are warmed up once in a process.
it('warming up leaves a fresh stream, which has seen no sizes of blocks', () => {
  const model = s4d({ features: 40, states: 4 });
  const parameters = initialise(model, 1);
  const stream = compile(model, parameters);
  const port = stream.lane.outputs.ports[0]!;
  // It did run: what came out last has the size of a block.
  expect(port.view.length % 40).toBe(0);
  expect(port.view.length).toBeLessThan(port.node.data.length);
  expect(port.views).toBe(0);
  expect(stream.framesSeen).toBe(0);
  const input = Float32Array.from({ length: 300 * 40 }, (_, i) => Math.sin(i));
  const cold = compile(model, parameters, { warmUp: false });
  expect(stream.push(input)).toEqual(cold.push(input));
});
