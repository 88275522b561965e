/**
 * Three models on one source: the recording is read once, each model has a state and a look-ahead of its own, and all
 * results are aligned with it. What reads slowest sets the pace; nothing piles up.
 *
 *     node examples/three-models.ts attenuate.safetensors cleanumamba.safetensors [in.wav [clean.wav]]
 *
 * The third is a classical filter against mains hum. Where to get weights is said in denoise-file.ts.
 */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { forkJoin, lastValueFrom, map, reduce, share, type Observable } from 'rxjs';
import { biquadFilter, type FloatArray, type Model, type Parameters } from 'statewave';
import { dbfs, decodeWav, rms, siSdr } from 'statewave/audio';
import { loadModel, onRecordings } from 'statewave/models';
import { fromWav, ssm } from 'statewave/operators';

const fixture = (name: string): string =>
  fileURLToPath(new URL(`../fixtures/speech/${name}`, import.meta.url));
const [first, second, input = fixture('noisy.wav'), clean = fixture('clean.wav')] = process.argv.slice(2);
if (first === undefined || second === undefined) {
  console.error('usage: node examples/three-models.ts model-1 model-2 [in.wav [clean.wav]]');
  process.exit(2);
}

const fromFile = (path: string): { name: string; model: Model; parameters: Parameters } => {
  const loaded = loadModel(path);
  return { name: basename(path), model: onRecordings(loaded), parameters: loaded.parameters };
};
const models = [
  fromFile(first),
  fromFile(second),
  {
    name: 'notches, no network',
    model: biquadFilter([50, 150, 250].map((frequency) => ({ type: 'notch', frequency, Q: 30 }))),
    parameters: {},
  },
];

const source = fromWav(input, { blockFrames: 2048 }).pipe(share());
const collected = (blocks: Observable<FloatArray>): Observable<number[]> =>
  blocks.pipe(
    reduce((all: number[], block) => {
      for (const sample of block) all.push(sample);
      return all;
    }, []),
  );

const reference = decodeWav(readFileSync(clean)).samples;
const length = reference.length;
const report = (name: string, samples: ArrayLike<number>): void =>
  console.log(
    `${name.padEnd(36)} ${dbfs(rms(samples)).toFixed(1)} dBFS, SI-SDR ${siSdr(samples, reference).toFixed(1)} dB`,
  );
const results = await lastValueFrom(
  forkJoin([
    collected(source),
    ...models.map(({ model, parameters }) => collected(source.pipe(ssm(model, parameters)))),
  ]).pipe(map((all) => all.map((samples) => samples.slice(0, length)))),
);
['the recording', ...models.map(({ name }) => name)].forEach((name, i) => report(name, results[i]!));
