import { wasm } from '../../../src/backends/wasm/index.ts';
import { compile } from '../../../src/stream/index.ts';
import { within } from '../contest.ts';
import { makeRow } from '../rows.ts';
import { s4dRecurrence } from '../s4d/model.ts';
import { spread } from '../statistics.ts';
import type { Check } from './check.ts';

const BLOCK = 128;
const CHANNELS = 64;

/** A burst, then silence, until the state would have been subnormal and gone: what the slowest block costs. */
export const silence: Check = {
  name: 'silence',
  about:
    'S4D 64 × 32, all poles of one size |Ā|: the slowest block while the state decays through the subnormal numbers, against blocks with a signal.',
  run: ({ name }) => ({
    rows: [0.5, 0.9, 0.99, 0.999, 0.9999].map((size) => decay(size, name === 'quick' ? 3 : 9)),
  }),
};

function decay(size: number, rounds: number) {
  const { model, parameters } = s4dRecurrence(CHANNELS, 32);
  parameters['dt']!.fill(-Math.log(size));
  parameters['a']!.fill(-1);
  const stream = compile(model, parameters, { backend: wasm(), precision: 'float32' });
  const driven = new Float32Array(BLOCK * CHANNELS).fill(0.5);
  const silent = new Float32Array(driven.length);
  const output = new Float32Array(driven.length);
  const time = (input: Float32Array): number => {
    const start = process.hrtime.bigint();
    stream.process(input, output);
    return Number(process.hrtime.bigint() - start) / BLOCK;
  };
  for (const end = Date.now() + 300; Date.now() < end;) time(driven);
  const busy = Array.from({ length: 200 }, () => time(driven));

  // 2⁻¹²⁶ is 88 time constants away, and subnormals end 16 further on; one block more is silent.
  const blocks = Math.ceil(104 / -Math.log(size) / BLOCK) + 1;
  const costs: number[][] = Array.from({ length: blocks }, () => []);
  for (let round = 0; round < rounds; round++) {
    stream.reset();
    for (let i = 0; i < 8; i++) time(driven);
    for (let i = 0; i < blocks; i++) costs[i]!.push(time(silent));
  }
  // Other processes only ever add: a block's cost is the least of its rounds, and a slow decay's, which would stay
  // subnormal for a hundred blocks, the median of five neighbours. The slowest block counts.
  const least = costs.map((all) => Math.min(...all));
  const span = blocks > 100 ? 5 : 1;
  const smooth = least.map((_, i) => spread(least.slice(i, i + span)).median).slice(0, blocks - span + 1);
  const most = Math.max(...smooth);
  const typical = spread(costs[smooth.indexOf(most)]!).median;
  return makeRow(
    `silence |Ā| ${size}`,
    {
      name: 'statewave, slowest silent block',
      spread: { lower: most, median: most, upper: Math.max(most, typical) },
    },
    { name: 'statewave, driven', spread: spread(busy) },
    { target: within(2) },
  );
}
