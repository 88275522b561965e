/**
 * Anomaly scores for any number of sensors, from rows `sensor,time,value` in a file or through a pipe. May be killed at
 * any instant: started again with the same input, it goes on, and writes what it would have written undisturbed.
 *
 *     node examples/sensors-lines.ts readings.csv scores.csv
 *     gunzip -c readings.csv.gz | node examples/sensors-lines.ts - scores.csv
 *
 * Scores above `THRESHOLD` (0.04) go to the output alone. States of sensors that are quiet wait in scores.csv.sensors.
 */
import { rmSync } from 'node:fs';
import { keyedJob, runDurably } from 'statewave/durable';
import { KeyedStreams, openFileStore } from 'statewave/keyed';
import { anomalyDetector } from 'statewave/models';

interface Row {
  readonly sensor: string;
  readonly time: string;
  readonly value: number;
}

const [input, output] = process.argv.slice(2);
if (input === undefined || output === undefined) {
  console.error('usage: node examples/sensors-lines.ts readings.csv scores.csv');
  process.exit(2);
}
const threshold = Number(process.env['THRESHOLD'] ?? 0.04);
const states = `${output}.sensors`;
const store = await openFileStore(states);
let bad = 0;

const streams = new KeyedStreams(
  (row: Row) => row.sensor,
  anomalyDetector(),
  {},
  {
    precision: 'float64',
    missing: 'hold',
    store,
    resident: 100_000,
  },
);
const job = keyedJob<string, Row>(streams, {
  name: 'anomalies',
  read(line) {
    const [sensor, time, value] = line.split(',');
    if (sensor === undefined || time === undefined || value === undefined) {
      if (line !== '') bad += 1;
      return undefined;
    }
    if (sensor === 'sensor') return undefined;
    return { sensor, time, value: value === '' ? Number.NaN : Number(value) };
  },
  write: ({ key, record, value }) =>
    (value as number) > threshold ? `${key},${record!.time},${String(value)}` : undefined,
});

const stop = new AbortController();
process.once('SIGINT', () => stop.abort());
const { lines, resumedAt, complete } = await runDurably(job, {
  input,
  output,
  checkpoint: `${output}.state`,
  every: 20_000,
  signal: stop.signal,
});
if (resumedAt > 0) console.error(`went on at byte ${resumedAt}`);
if (bad > 0) console.error(`${bad} lines have fewer than three columns`);
console.error(
  complete ? `${lines} lines, ${store.size()} sensors: ${output}` : `stopped; start again to go on`,
);
store.close();
if (complete) for (const end of ['', '-wal', '-shm']) rmSync(`${states}${end}`, { force: true });
