/**
 * A captured amplifier (a WaveNet of Neural Amp Modeler) distilled into S4D layers: cheaper, and, since these are in
 * continuous time, at any sample rate by changing `dt` alone.
 *
 *     node examples/distil-amplifier.ts amp.nam [--evaluate]
 *
 * Plays some minutes of synthetic guitar to the capture, trains `fixtures/models/amplifier/config.json` on its answers,
 * and compares: the error-to-signal ratio at 44.1, 48 and 96 kHz, that of the best linear filter and of an LSTM of about
 * the same cost (`lstm.json` beside the configuration), and the cost of a sample. `--evaluate` trains nothing and takes the
 * weights that are there; `--weights` others than those of the run.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { compile, initialise, type Stream } from 'statewave';
import { createResampler } from 'statewave/audio';
import { loadModel, modelFor, type Config, type LoadedModel } from 'statewave/models';
import { teach, type Recordings } from 'statewave/train';
import { linearFit } from './support/linear-fit.ts';

const RATE = 48_000;
const folder = 'out/amplifier';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { evaluate: { type: 'boolean', default: false }, weights: { type: 'string' } },
});
const [capture] = positionals;
if (capture === undefined) {
  console.error('usage: node examples/distil-amplifier.ts amp.nam [--evaluate] [--weights FILE]');
  process.exit(2);
}

const teacher = loadModel(capture);
mkdirSync(folder, { recursive: true });
const taught = (name: string, pieces: number, seed: number): Promise<Recordings> =>
  teach(teacher.model, teacher.parameters, { sampleRate: RATE, cache: `${folder}/${name}.pcm`, pieces, seconds: 5, seed }); // prettier-ignore
const train = await taught('train', 48, 1);
(await taught('validation', 6, 2)).close();
const test = await taught('test', 6, 3);

for (const config of values.evaluate ? [] : ['config.json', 'lstm.json']) {
  const path = `fixtures/models/amplifier/${config}`;
  const { status } = spawnSync('npx', ['statewave', 'train', path, '--fresh'], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
const student = loadModel(values.weights ?? `${folder}/weights.safetensors`);

/** Its answers are compared so many frames early: it is spared the capture's delay, which gated cells hardly learn. */
const lstmConfig = JSON.parse(readFileSync('fixtures/models/amplifier/lstm.json', 'utf8')) as {
  model: { format: string; config: Config };
  data: { ahead: number };
};
const lstmWeights = `${folder}/lstm/weights.safetensors`;
const lstm = existsSync(lstmWeights) ? loadModel(lstmWeights) : undefined;

/** Input and answer of a piece. */
function pieceOf(recordings: Recordings, index: number): { input: Float32Array; answer: Float32Array } {
  const { frames } = recordings.list[index]!;
  const both = recordings.read(index, 0, frames);
  const channel = (c: number): Float32Array =>
    Float32Array.from({ length: frames }, (_, k) => both[2 * k + c]!);
  return { input: channel(0), answer: channel(1) };
}

function resampled(samples: Float32Array, from: number, to: number): Float32Array {
  if (from === to) return samples;
  const resampler = createResampler({ from, to, channels: 1, quality: 'best' });
  return Float32Array.from([...resampler.process(samples), ...resampler.end()]);
}

/** Σ (answer − estimate)² / Σ answer² over all test pieces, of an estimate that comes `early` frames too soon. */
function esr(estimate: (input: Float32Array) => Float32Array, early = 0): number {
  let [error, energy] = [0, 0];
  for (let i = 0; i < test.list.length; i++) {
    const { input, answer } = pieceOf(test, i);
    const y = estimate(input);
    for (let k = 0; k < answer.length; k++) {
      error += (answer[k]! - (y[k - early] ?? 0)) ** 2;
      energy += answer[k]! ** 2;
    }
  }
  return error / energy;
}

const atRate =
  ({ model, parameters }: LoadedModel, sampleRate: number) =>
  (input: Float32Array): Float32Array => {
    const stream = compile(model, parameters, { sampleRate });
    return resampled(stream.push(resampled(input, RATE, sampleRate)) as Float32Array, sampleRate, RATE);
  };

const filter = linearFit(
  train.list.slice(0, 12).map((_, i) => pieceOf(train, i)),
  1024,
);
const linear = esr(filter);
console.log(`best linear filter (1,024 taps)   ESR ${linear.toFixed(4)}`);
for (const sampleRate of [RATE, 44_100, 96_000]) {
  const value = esr(atRate(student, sampleRate));
  console.log(`S4D layers at ${String(sampleRate).padStart(6)} Hz          ESR ${value.toFixed(5)}  (1/${(linear / value).toFixed(1)} of the linear filter's)`); // prettier-ignore
}

if (lstm)
  console.log(`LSTM of 36 units at  ${RATE} Hz          ESR ${esr(atRate(lstm, RATE), lstmConfig.data.ahead).toFixed(5)}`); // prettier-ignore

/** ns a sample in blocks of 128: the median of several runs. */
function cost(stream: Stream): number {
  const input = Float32Array.from({ length: 128 }, (_, k) => Math.sin(k / 7));
  const output = new Float32Array(stream.maxOutput(128));
  const runs = Array.from({ length: 15 }, () => {
    const started = performance.now();
    for (let i = 0; i < 100; i++) stream.process(input, output);
    return ((performance.now() - started) * 1e6) / 12_800;
  });
  return runs.sort((a, b) => a - b)[7]!;
}
// What a sample costs does not depend on the weights.
const gatedModel = modelFor(lstmConfig.model.format, lstmConfig.model.config);
const ofLstm = { model: gatedModel, parameters: initialise(gatedModel, 1) };
const [own, gated, captured] = [student, ofLstm, teacher].map(({ model, parameters }) =>
  cost(compile(model, parameters)).toFixed(0),
);
console.log(`cost: ${own} ns a sample, the LSTM ${gated} ns, the capture ${captured} ns`);
