/**
 * Anomalies in 58 series, found while they stream and scored by the rules of the Numenta Anomaly Benchmark. The detector
 * is told nothing of a series beforehand and learns online; one configuration serves all.
 *
 *     node examples/anomaly.ts [NAB folder [picture.svg [series]]]
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compile } from 'statewave';
import { anomalyDetector } from 'statewave/models';
import { readCorpus } from './nab/corpus.ts';
import { nabFolder } from './nab/folder.ts';
import { PROFILES, probation, scoreCorpus, type Scored } from './nab/score.ts';
import { COLOURS, draw, thin } from './support/chart.ts';

const [given, picture = join(tmpdir(), 'statewave-anomaly.svg'), shown = 'ec2_request_latency'] =
  process.argv.slice(2);
const corpus = readCorpus(nabFolder(given));

const detector = compile(anomalyDetector(), {}, { precision: 'float64' });
const began = performance.now();
const results: Scored[] = corpus.map((series) => ({
  ...series,
  scores: detector.fork().push(series.values),
}));
const rows = corpus.reduce((sum, { values }) => sum + values.length, 0);
const took = performance.now() - began;
console.log(`${rows} readings in ${took.toFixed(0)} ms, ${((1000 * took) / rows).toFixed(1)} µs each`);

for (const profile of PROFILES) {
  const { normalised, threshold, found, windows, falseAlarms } = scoreCorpus(results, profile);
  console.log(
    `${profile.name.padEnd(14)} ${normalised.toFixed(1)}  (${found} of ${windows} windows, ${falseAlarms} false alarms, ` +
      `threshold ${threshold.toFixed(3)})`,
  );
}
const halves = [0, 1].map((parity) => results.filter((_, i) => i % 2 === parity));
const crossed = halves.map((half, i) => {
  const { threshold } = scoreCorpus(halves[1 - i]!, PROFILES[0]!);
  return scoreCorpus(half, PROFILES[0]!, threshold).normalised.toFixed(1);
});
console.log(`each half of the series at the other half's threshold: ${crossed.join(' and ')}`);

const { threshold } = scoreCorpus(results, PROFILES[0]!);
const series = results.find(({ name }) => name.includes(shown));
const readings = corpus.find(({ name }) => name.includes(shown));
if (series === undefined || readings === undefined) throw new Error(`no series is called ${shown}`);
const points = Array.from(readings.values, (value, k) => ({ time: readings.timestamps[k]!, value }));
const alarms = Array.from(series.scores, (score, k) => ({ ...points[k]!, score })).filter(
  // What comes before does not count.
  ({ score }, k) => score >= threshold && k >= probation(points.length),
);
await draw(picture, {
  background: 'white',
  title: `${series.name}: labelled windows, and alarms by their score`,
  width: 900,
  height: 320,
  layer: [
    {
      data: { values: series.windows.map(([from, to]) => ({ from, to })) },
      mark: { type: 'rect', color: COLOURS.yellow, opacity: 0.3 },
      encoding: { x: { field: 'from', type: 'temporal' }, x2: { field: 'to' } },
    },
    {
      data: { values: thin(points, 3000) },
      mark: { type: 'line', strokeWidth: 0.8, color: COLOURS.blue },
      encoding: {
        x: { field: 'time', type: 'temporal', title: null },
        y: { field: 'value', type: 'quantitative', scale: { zero: false } },
      },
    },
    {
      data: { values: alarms },
      mark: { type: 'point', filled: true, color: COLOURS.orange, opacity: 0.9 },
      encoding: {
        x: { field: 'time', type: 'temporal' },
        y: { field: 'value', type: 'quantitative' },
        size: { field: 'score', type: 'quantitative', scale: { range: [50, 400] } },
      },
    },
  ],
});
console.log(`picture of ${series.name}: ${picture}`);
