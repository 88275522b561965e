/** A run that learns and saves itself, for a test that kills it: `node online-run.ts <state file> <frames>`. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { random } from '../../../src/init/index.ts';
import { initialise } from '../../../src/layers/index.ts';
import { compile } from '../../../src/stream/index.ts';
import { onlineDiagonal } from '../../../src/train/online/index.ts';

const [file, frames] = [process.argv[2]!, Number(process.argv[3])];
const model = onlineDiagonal({ features: 2, states: 4, rate: 0.01, interval: 5 });
const stream = compile(model, initialise(model, 1), { precision: 'float64' });
if (existsSync(file)) stream.restore(new Uint8Array(readFileSync(file)));

const source = random(9);
const input = Float64Array.from({ length: 2 * frames }, () => source.normal());
const target = input.map((value, i) => 0.5 * value + Math.sin(i / 40));
// 7 frames at a time, so that saves fall in the middle of what the optimiser gathers.
while (stream.framesSeen < frames) {
  const from = 2 * stream.framesSeen;
  const to = Math.min(from + 14, 2 * frames);
  stream.push({ input: input.subarray(from, to), target: target.subarray(from, to) });
  writeFileSync(`${file}.part`, stream.snapshot());
  renameSync(`${file}.part`, file);
}
console.log('done');
