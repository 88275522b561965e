import { describe, expect, it } from 'vitest';
import { initialise, mamba, s4d } from '../../src/layers/index.ts';
import { compile, compileBank } from '../../src/stream/index.ts';
import { allocatedBy } from '../support/allocations.ts';

/** Bytes of the smallest object. */
const SMALLEST = 16;

describe('nothing becomes garbage once a stream runs', () => {
  it.each([
    ['s4d', s4d({ features: 2, states: 4 }), 1],
    ['mamba, which keeps frames', mamba({ features: 2 }), 3],
    ['s4d in blocks too long for a loop', s4d({ features: 2, states: 4 }), 40],
  ] as const)('%s', (_, model, size) => {
    const parameters = initialise(model, 1);
    const stream = compile(model, parameters);
    const input = new Float32Array(2 * size);
    const output = new Float32Array(2 * size);
    expect(allocatedBy(0, () => stream.process(input, output))).toBeLessThan(SMALLEST / 2);
    const bank = compileBank(model, parameters);
    const ids = [bank.open(), bank.open()];
    const [inputs, outputs] = [new Float32Array(4 * size), new Float32Array(4 * size)];
    expect(allocatedBy(0, () => bank.process(ids, inputs, outputs))).toBeLessThan(SMALLEST / 2);
    // The measure sees a single small object a call.
    const seen: Float64Array[] = [];
    expect(
      allocatedBy(0, () => {
        seen[0] = new Float64Array(1);
      }),
    ).toBeGreaterThan(SMALLEST);
  });
});
