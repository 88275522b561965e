/**
 * Heartbeats found live in a real electrocardiogram, block by block, and the pulse with them.
 *
 *     node examples/ecg.ts [recording.wav [picture.svg]]
 *
 * The recording is a minute of record 208 of the MIT-BIH Arrhythmia Database (see fixtures/ecg/README.md).
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { lastValueFrom, tap, toArray } from 'rxjs';
import { fromWav, ssm, wavInfo } from 'statewave/operators';
import { beats, steepness } from './ecg/beats.ts';
import { COLOURS, draw } from './support/chart.ts';

const [
  recording = fileURLToPath(new URL('../fixtures/ecg/mit-bih-208.wav', import.meta.url)),
  picture = join(tmpdir(), 'statewave-ecg.svg'),
] = process.argv.slice(2);
const { sampleRate } = await wavInfo(recording);
/** Of a WAV's full scale: 200 steps. */
const MILLIVOLT = 200 / 32768;

const signal: number[] = [];
const found = await lastValueFrom(
  fromWav(recording).pipe(
    tap((block) => {
      for (const value of block) signal.push(value / MILLIVOLT);
    }),
    ssm(steepness(sampleRate), {}),
    beats(sampleRate),
    toArray(),
  ),
);
const seconds = signal.length / sampleRate;
const rates = found.map(({ rate }) => rate).filter((rate) => rate > 0);
const middle = rates.sort((a, b) => a - b)[Math.floor(rates.length / 2)]!;
console.log(
  `${found.length} beats in ${seconds.toFixed(0)} s; half of them at less than ${middle.toFixed(0)} a minute`,
);

const SHOWN = 15;
await draw(picture, {
  background: 'white',
  title: 'Heartbeats found live: the signal, and where its slopes gather',
  width: 900,
  height: 260,
  encoding: { x: { field: 'time', type: 'quantitative', title: 'time (s)', scale: { domain: [0, SHOWN] } } },
  layer: [
    {
      data: { values: found.filter(({ time }) => time < SHOWN) },
      mark: { type: 'rule', color: COLOURS.orange, strokeWidth: 1.5, opacity: 0.7 },
    },
    {
      data: {
        values: signal.slice(0, SHOWN * sampleRate).map((value, k) => ({ time: k / sampleRate, value })),
      },
      mark: { type: 'line', color: COLOURS.blue, strokeWidth: 0.9 },
      encoding: { y: { field: 'value', type: 'quantitative', title: 'lead MLII (mV)' } },
    },
  ],
});
console.log(`picture: ${picture}`);
