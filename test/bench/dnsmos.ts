/**
 * What listeners would say of a denoiser, guessed by DNSMOS P.835: of the voice (SIG), of the background (BAK) and of the
 * whole (OVRL), each 1 to 5, before and after.
 *
 *     node test/bench/dnsmos.ts MODEL NOISY_DIR [--json]
 *
 * Needs the peers (`npm run bench` installs them) and `peers/dnsmos` of the shared material.
 *
 * Source: Reddy, Gopal, Cutler, "DNSMOS P.835" (arXiv 2110.01763); microsoft/DNS-Challenge `DNSMOS/dnsmos_local.py`:
 * windows of 9.01 s every second, short recordings repeated, the mean over windows, the model's numbers mapped to
 * scores by polynomials of degree two.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { denoised, samplesOf } from '../../scripts/support/denoised.ts';
import { formatByName, loadModel } from '../../src/models/index.ts';
import type { Layer } from '../../src/signal/index.ts';
import { sharedFile } from './peers/denoisers.ts';
import { onnxRuntime } from './peers/onnxruntime.ts';

const RATE = 16_000;
const WINDOW = 144_160;
/** a x² + b x + c of `dnsmos_local.py`, in the order of the network's outputs. */
const SCORES = {
  SIG: [-0.08397278, 1.22083953, 0.0052439],
  BAK: [-0.13166888, 1.60915514, -0.39604546],
  OVRL: [-0.06766283, 1.11546468, 0.04602535],
} as const;
type Scores = Record<keyof typeof SCORES, number>;
const names = Object.keys(SCORES) as (keyof Scores)[];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean', default: false } },
});
const [path, folder] = positionals;
if (path === undefined || folder === undefined) {
  console.error('usage: node test/bench/dnsmos.ts MODEL NOISY_DIR [--json]');
  process.exit(2);
}

const runtime = await onnxRuntime();
const session = await runtime.session(sharedFile('peers', 'dnsmos', 'sig_bak_ovr.onnx'));

async function score(samples: Float32Array): Promise<Scores> {
  const length = Math.max(WINDOW, samples.length);
  const repeated = Float32Array.from({ length }, (_, k) => samples[k % samples.length]!);
  const windows = Math.floor((length - WINDOW) / RATE) + 1;
  const sum: Scores = { SIG: 0, BAK: 0, OVRL: 0 };
  for (let w = 0; w < windows; w++) {
    const window = repeated.slice(w * RATE, w * RATE + WINDOW);
    const results = await session.run({ [session.inputNames[0]!]: runtime.tensor(window, [1, WINDOW]) });
    const raw = results[session.outputNames[0]!]!.data;
    for (const [i, name] of names.entries()) {
      const [a, b, c] = SCORES[name];
      sum[name] += (a * raw[i]! ** 2 + b * raw[i]! + c) / windows;
    }
  }
  return sum;
}

const { model, parameters, format } = loadModel(path);
const network = model as Layer;
const stream = formatByName(format).onRecordings?.(network) ?? network;
const recordings = readdirSync(folder)
  .filter((name) => name.endsWith('.wav'))
  .toSorted();
const mean: Record<'noisy' | 'denoised', Scores> = {
  noisy: { SIG: 0, BAK: 0, OVRL: 0 },
  denoised: { SIG: 0, BAK: 0, OVRL: 0 },
};
const text = (scores: Scores): string => names.map((name) => `${name} ${scores[name].toFixed(3)}`).join('  ');
for (const name of recordings) {
  const noisy = samplesOf(join(folder, name), network);
  const before = await score(noisy);
  const after = await score(denoised(stream, parameters, noisy));
  if (!values.json) console.log(`${name.padEnd(14)} noisy  ${text(before)}    denoised  ${text(after)}`);
  for (const score of names) {
    mean.noisy[score] += before[score] / recordings.length;
    mean.denoised[score] += after[score] / recordings.length;
  }
}
if (values.json) console.log(JSON.stringify({ recordings: recordings.length, ...mean }));
else
  console.log(
    `${`mean of ${recordings.length}`.padEnd(14)} noisy  ${text(mean.noisy)}    denoised  ${text(mean.denoised)}`,
  );
