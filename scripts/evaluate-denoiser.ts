/**
 * How much better a denoiser makes recordings: SI-SDR against their clean counterparts, file by file and in the mean.
 *
 *     node scripts/evaluate-denoiser.ts MODEL NOISY_DIR CLEAN_DIR [--official DIR] [--level 4,0.05,0.05] [--json]
 *
 * Every WAV file of NOISY_DIR of which CLEAN_DIR has one of the same name runs as a stream, prepared as `denoise`
 * prepares recordings. Where the official code normalises a clip as a whole, that is measured beside it (`offline`):
 * divided by its standard deviation, through the network, multiplied again. With --official the outputs of the
 * official code, of the same names, are measured too, with the largest difference from ours relative to their peak.
 *
 * --level tries another running level: seconds of memory, then the root mean square that is believed at the start
 * and for how many seconds it counts. --every 4 takes every fourth recording only.
 */
import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { peak, siSdr } from '../src/audio/index.ts';
import { ArgumentError, StatewaveError } from '../src/errors.ts';
import { formatByName, loadModel } from '../src/models/index.ts';
import { runningLevel } from '../src/models/running-level.ts';
import type { Layer } from '../src/signal/index.ts';
import { compile } from '../src/stream/index.ts';
import { denoised, samplesOf } from './support/denoised.ts';

/** Of one recording, in dB; and how far ours is from the official output, relative to its peak. */
interface Scores {
  noisy: number;
  stream: number;
  offline?: number;
  official?: number;
  difference?: number;
}

function main(): void {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      official: { type: 'string' },
      level: { type: 'string' },
      every: { type: 'string', default: '1' },
      json: { type: 'boolean', default: false },
    },
  });
  const [path, noisyFolder, cleanFolder, ...more] = positionals;
  if (path === undefined || noisyFolder === undefined || cleanFolder === undefined || more.length > 0) {
    console.error(
      'usage: node scripts/evaluate-denoiser.ts MODEL NOISY_DIR CLEAN_DIR [--official DIR] [--json]',
    );
    process.exitCode = 2;
    return;
  }
  const { model, parameters, format } = loadModel(path);
  const network = model as Layer;
  const prepare = values.level === undefined ? formatByName(format).onRecordings : levelOf(values.level);
  const stream = prepare?.(network) ?? network;
  const names = readdirSync(noisyFolder)
    .filter((name) => name.endsWith('.wav') && existsSync(join(cleanFolder, name)))
    .toSorted()
    .filter((_, i) => i % Number(values.every) === 0);
  if (names.length === 0)
    throw new ArgumentError(`${noisyFolder} and ${cleanFolder} have no .wav of one name`);

  const files: Record<string, Scores> = {};
  const started = performance.now();
  let frames = 0;
  for (const name of names) {
    const [noisy, clean] = [noisyFolder, cleanFolder].map((folder) => samplesOf(join(folder, name), network));
    const ours = denoised(stream, parameters, noisy!);
    frames += noisy!.length;
    const scores: Scores = { noisy: siSdr(noisy!, clean!), stream: siSdr(ours, clean!) };
    if (prepare !== undefined && values.level === undefined) {
      const level = deviation(noisy!) + 1e-3;
      const levelled = denoised(
        network,
        parameters,
        noisy!.map((x) => x / level),
      );
      scores.offline = siSdr(levelled, clean!);
    }
    const reference = values.official === undefined ? undefined : join(values.official, name);
    if (reference !== undefined && existsSync(reference)) {
      const official = samplesOf(reference, network);
      scores.official = siSdr(official, clean!);
      scores.difference = peak(ours.map((y, i) => y - official[i]!)) / peak(official);
    }
    files[name] = scores;
    if (!values.json) console.log(line(name, scores));
  }
  const mean = Object.fromEntries(
    (['noisy', 'stream', 'offline'] as const).flatMap((way) => {
      const all = Object.values(files).flatMap((scores) => scores[way] ?? []);
      return all.length === names.length ? [[way, all.reduce((a, b) => a + b) / all.length]] : [];
    }),
  ) as unknown as Scores;
  const summary = {
    model: basename(path),
    parameters: [...parameters.values()].reduce((sum, { length }) => sum + length, 0),
    latency: compile(network, parameters).latency,
    seconds: frames / (network.sampleRate ?? 16_000),
    elapsed: (performance.now() - started) / 1000,
    mean,
  };
  if (values.json) console.log(JSON.stringify({ ...summary, files }, null, 2));
  else {
    console.log(line(`mean of ${names.length}`, mean));
    console.log(
      `${summary.model}: ${summary.parameters} parameters, ${summary.latency} frames of look-ahead, ` +
        `${summary.seconds.toFixed(1)} s of sound in ${summary.elapsed.toFixed(1)} s`,
    );
  }
}

/** As torch's `std`: around the mean, divided by n − 1. */
function deviation(samples: Float32Array): number {
  const mean = samples.reduce((sum, x) => sum + x, 0) / samples.length;
  return Math.sqrt(samples.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (samples.length - 1));
}

function levelOf(text: string): (layer: Layer) => Layer {
  const [seconds, rms, priorSeconds] = text.split(',').map(Number) as [number, number, number];
  return (layer) => runningLevel(layer, { seconds, prior: { rms, seconds: priorSeconds } });
}

const line = (name: string, scores: Scores): string =>
  [
    name.padEnd(14),
    ...(['noisy', 'offline', 'stream', 'official'] as const).flatMap((way) =>
      scores[way] === undefined ? [] : [`${way} ${scores[way].toFixed(3).padStart(7)} dB`],
    ),
    ...(scores.difference === undefined ? [] : [`difference ${scores.difference.toExponential(1)}`]),
  ].join('  ');

try {
  main();
} catch (error) {
  if (!(error instanceof StatewaveError)) throw error;
  console.error(`${error.name}: ${error.message}`);
  process.exitCode = 1;
}
