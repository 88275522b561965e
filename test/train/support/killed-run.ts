/**
 * A run in a process of its own, to be killed: says every step on stdout. Arguments: the checkpoint, and the file that
 * gets the weights when it is done.
 */
import { writeFileSync, writeSync } from 'node:fs';
import { dropout, initialise, s4d, sequential } from '../../../src/index.ts';
import { adamw, fit, mse, referenceTraining, warmUpCosine } from '../../../src/train/index.ts';
import { madeSource } from './sources.ts';

const [path, result] = process.argv.slice(2) as [string, string];
const model = sequential([dropout({ features: 1, rate: 0.1 }), s4d({ features: 1, states: 4 })]);
const target = (input: Float32Array): Float32Array => input.map((_, k) => 0.5 * (input[k - 2] ?? 0));
const { last, history } = await fit(model, initialise(model, 1), {
  data: madeSource({ seed: 1, items: 2, frames: 64, batchesPerEpoch: 12, target }),
  validation: madeSource({ seed: 5_000_000, items: 1, frames: 64, batchesPerEpoch: 1, target }),
  loss: mse(),
  optimizer: adamw({ rate: 0.01 }),
  schedule: warmUpCosine({ warmUp: 4 }),
  ema: { decay: 0.9 },
  epochs: 5,
  seed: 3,
  backend: referenceTraining(),
  checkpoint: { path, everySteps: 2, resume: true },
  onStart: ({ step }) => void writeSync(1, `from ${step}\n`),
  onStep: ({ step }) => void writeSync(1, `step ${step}\n`),
});
writeFileSync(
  result,
  JSON.stringify({ weights: [...last.parameters].map(([name, data]) => [name, [...data]]), history }),
);
