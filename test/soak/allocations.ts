/**
 * What `Stream.process` and `StreamBank.process` leave to the garbage collector: bytes of the heap a block, over 10^6
 * of them, once running. Exits with 1 where any leaves a byte.
 *
 *     node test/soak/allocations.ts [blocks]
 */
import { initialise, mamba, s4d, s5 } from '../../src/layers/index.ts';
import * as ops from '../../src/ops/index.ts';
import { defineLayer, type Model } from '../../src/signal/index.ts';
import { compile, compileBank } from '../../src/stream/index.ts';
import { allocatedBy } from '../support/allocations.ts';

const blocks = Number(process.argv[2] ?? 1_000_000);

const kept = defineLayer({
  name: 'kept frames, several rates',
  features: 2,
  apply(t, x) {
    const weight = t.literal(new Array(12).fill(0.1), [2, 2, 3]);
    const slow = ops.convolution(ops.tanh(x), weight, { stride: 3 });
    return ops.add(ops.advance(ops.transposedConvolution(slow, weight, { stride: 3 }), 2), ops.delay(x, 4));
  },
});

const cases: readonly (readonly [string, Model, number])[] = [
  ['s4d 8 × 16, blocks of 1', s4d({ features: 8, states: 16 }), 1],
  ['s4d 8 × 16, blocks of 16', s4d({ features: 8, states: 16 }), 16],
  ['s5 4 × 16, blocks of 7', s5({ features: 4, states: 16 }), 7],
  ['mamba 8, blocks of 8', mamba({ features: 8 }), 8],
  ['several rates, blocks of 5', kept, 5],
  ['several rates, blocks of 50', kept, 50],
];

let worst = 0;
const tell = (name: string, bytes: number): void => {
  // An object in every sixteenth block would be a byte.
  worst = Math.max(worst, bytes);
  console.log(`${name.padEnd(44)} ${bytes.toFixed(1)} bytes a block`);
};

for (const [name, model, size] of cases) {
  const parameters = initialise(model, 1);
  const stream = compile(model, parameters);
  const input = new Float32Array(size * stream.inputChannels).fill(0.1);
  const output = new Float32Array(stream.maxOutput(size) * stream.outputChannels);
  tell(
    name,
    allocatedBy(blocks, () => stream.process(input, output)),
  );
  const bank = compileBank(model, parameters);
  const ids = Int32Array.from({ length: 4 }, () => bank.open());
  const inputs = new Float32Array(4 * input.length);
  const outputs = new Float32Array(4 * output.length);
  tell(
    `${name}, a bank of 4`,
    allocatedBy(blocks / 4, () => bank.process(ids, inputs, outputs)),
  );
}
process.exitCode = worst < 1 ? 0 : 1;
