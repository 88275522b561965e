/**
 * A forecast with an interval that holds as often as it says: how many taxis New York takes in the next half hour, by
 * least squares that learn online on a state space's memory and on what was a day and a week ago.
 *
 *     node examples/forecast.ts [NAB folder [picture.svg]]
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compile, leakyMemory, ops, type Model } from 'statewave';
import { readSeries } from './nab/corpus.ts';
import { nabFolder } from './nab/folder.ts';
import { COLOURS, draw } from './support/chart.ts';

const [given, picture = join(tmpdir(), 'statewave-forecast.svg')] = process.argv.slice(2);
const { timestamps, values } = readSeries(join(nabFolder(given), 'data/realKnownCause/nyc_taxi.csv'));
const COVERAGE = 0.9;
const [DAY, WEEK] = [48, 336];

/** Forecast, low, high (3) of each frame, made from the frames before it. */
const forecaster: Model = {
  name: 'forecaster',
  inputs: { input: [1] },
  build(trace, { input }) {
    // Thousands of passengers: numbers of order one.
    const x = ops.mul(input!, 1e-4);
    const before = ops.previous(x);
    const memory = leakyMemory({ features: 1, timeConstants: [2, 6, 24] }).apply(
      trace.scope('memory'),
      before,
    );
    // The same half hour, the one before and the one after it, a day and a week ago.
    const seasons = [DAY, WEEK].flatMap((frames) =>
      [-1, 0, 1].map((offset) => ops.delay(x, frames + offset)),
    );
    const one = ops.everyFrame(x, trace.literal([1]));
    const fitted = ops.recursiveLeastSquares(ops.concat([before, memory, ...seasons, one]), x, {
      forgetting: 0.9995,
      ridge: 1e-2,
    });
    const bounds = ops.adaptiveInterval(fitted, x, { coverage: COVERAGE });
    const all = ops.concat([ops.select(fitted, 0, 0), ops.reshape(bounds, [2])]);
    return { output: ops.mul(all, 1e4) };
  },
};

const y = compile(forecaster, {}, { precision: 'float64' }).push(values);
const rows = Array.from(values, (value, k) => ({
  time: timestamps[k]!,
  value,
  forecast: y[3 * k]!,
  low: y[3 * k + 1]!,
  high: y[3 * k + 2]!,
}));

// From the third week on: one to have a week ago, one to learn.
const judged = rows.slice(2 * WEEK);
const mean = (pick: (row: (typeof rows)[number], k: number) => number): number =>
  judged.reduce((sum, row, k) => sum + pick(row, k), 0) / judged.length;
const inside = mean(({ value, low, high }) => (value >= low && value <= high ? 1 : 0));
const error = mean(({ value, forecast }) => Math.abs(value - forecast));
const naive = mean(({ value }, k) => Math.abs(value - rows[2 * WEEK + k - 1]!.value));
const weekly = mean(({ value }, k) => Math.abs(value - rows[WEEK + k]!.value));
console.log(
  `${(100 * inside).toFixed(1)} % inside, ${100 * COVERAGE} % promised; width ${mean(({ low, high }) => high - low).toFixed(0)}`,
);
console.log(
  `mean error ${error.toFixed(0)} passengers; the last value would be off by ${naive.toFixed(0)}, that of a week ago by ` +
    weekly.toFixed(0),
);

const from = timestamps.indexOf('2014-10-28 00:00:00');
await draw(picture, {
  background: 'white',
  title: `Taxi passengers in New York, the half hour ahead, ${100 * COVERAGE} % interval (the marathon is on the 2nd)`,
  width: 900,
  height: 320,
  data: { values: rows.slice(from, from + WEEK) },
  encoding: { x: { field: 'time', type: 'temporal', title: null } },
  layer: [
    {
      mark: { type: 'area', color: COLOURS.blue, opacity: 0.25 },
      encoding: {
        y: { field: 'low', type: 'quantitative', title: 'passengers in half an hour' },
        y2: { field: 'high' },
      },
    },
    {
      mark: { type: 'line', color: COLOURS.blue, strokeWidth: 1 },
      encoding: { y: { field: 'forecast', type: 'quantitative' } },
    },
    {
      mark: { type: 'point', filled: true, size: 12, color: COLOURS.orange },
      encoding: { y: { field: 'value', type: 'quantitative' } },
    },
  ],
});
console.log(`picture: ${picture}`);
