/**
 * Position and speed from noisy readings of the position that come when they like: the Kalman filter live, as an RxJS
 * operator, and the smoother afterwards.
 *
 *     node examples/kalman.ts [picture.svg]
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { from, lastValueFrom, toArray } from 'rxjs';
import { init } from 'statewave';
import { kalmanFilter, smoothKalman, type KalmanSystem } from 'statewave/estimation';
import { irregular } from 'statewave/operators';
import { COLOURS, draw, type Row } from './support/chart.ts';

const picture = process.argv[2] ?? join(tmpdir(), 'statewave-kalman.svg');

/** A vehicle whose speed wanders by 0.5 m/s in a second; its position is read to ± 3 m. */
const system: KalmanSystem = {
  A: [
    [0, 1],
    [0, 0],
  ],
  C: [[1, 0]],
  noise: {
    kind: 'white',
    density: [
      [0, 0],
      [0, 0.25],
    ],
  },
  R: [9],
  covariance: [
    [1e4, 0],
    [0, 25],
  ],
};

// A drive of two minutes; readings every half second or so, none in a tunnel.
const random = init.random(4);
const drive: { time: number; position: number; speed: number; reading: number }[] = [];
let [position, speed, time] = [0, 8, 0];
while (time < 120) {
  const dt = 0.1 + random.uniform(0, 0.8);
  time += dt;
  position += speed * dt;
  speed += 0.5 * Math.sqrt(dt) * random.normal();
  const inTunnel = time > 50 && time < 62;
  if (!inTunnel) drive.push({ time, position, speed, reading: position + 3 * random.normal() });
}

const filtered = await lastValueFrom(
  from(drive.map(({ time, reading }) => ({ time, value: [reading] }))).pipe(
    irregular<number[]>(kalmanFilter(system), {}, { precision: 'float64' }),
    toArray(),
  ),
);
const { mean, covariance } = smoothKalman(system, {
  input: drive.map(({ reading }) => reading),
  dt: drive.map(({ time }, k) => (k === 0 ? 0 : time - drive[k - 1]!.time)),
});

const off = (what: (k: number) => number): string =>
  Math.sqrt(drive.reduce((sum, _, k) => sum + what(k) ** 2, 0) / drive.length).toFixed(2);
console.log(
  `position off by: ${off((k) => drive[k]!.reading - drive[k]!.position)} m read, ` +
    `${off((k) => filtered[k]!.value[0]! - drive[k]!.position)} m filtered, ${off((k) => mean[2 * k]! - drive[k]!.position)} m smoothed`,
);
console.log(
  `speed off by: ${off((k) => filtered[k]!.value[1]! - drive[k]!.speed)} m/s filtered, ` +
    `${off((k) => mean[2 * k + 1]! - drive[k]!.speed)} m/s smoothed`,
);

const rows: Row[] = drive.flatMap(({ time, speed }, k) => [
  { time, who: 'truth', speed, low: null, high: null },
  {
    time,
    who: 'filtered, live',
    speed: filtered[k]!.value[1]!,
    low: filtered[k]!.value[1]! - 2 * filtered[k]!.value[3]!,
    high: filtered[k]!.value[1]! + 2 * filtered[k]!.value[3]!,
  },
  {
    time,
    who: 'smoothed, afterwards',
    speed: mean[2 * k + 1]!,
    low: mean[2 * k + 1]! - 2 * Math.sqrt(covariance[4 * k + 3]!),
    high: mean[2 * k + 1]! + 2 * Math.sqrt(covariance[4 * k + 3]!),
  },
]);
await draw(picture, {
  background: 'white',
  title: 'Speed from noisy positions (no readings from 50 to 62 s), ± 2 standard deviations',
  width: 850,
  height: 300,
  data: { values: rows },
  encoding: {
    x: { field: 'time', type: 'quantitative', title: 'time (s)' },
    color: {
      field: 'who',
      type: 'nominal',
      legend: { title: null, labelLimit: 200 },
      scale: {
        domain: ['truth', 'filtered, live', 'smoothed, afterwards'],
        range: [COLOURS.grey, COLOURS.orange, COLOURS.blue],
      },
    },
  },
  layer: [
    {
      mark: { type: 'area', opacity: 0.18, clip: true },
      encoding: {
        y: {
          field: 'low',
          type: 'quantitative',
          title: 'speed (m/s)',
          scale: { domain: [4, 18] },
          stack: null,
        },
        y2: { field: 'high' },
      },
    },
    {
      mark: { type: 'line', strokeWidth: 1.3, clip: true },
      encoding: { y: { field: 'speed', type: 'quantitative' } },
    },
  ],
});
console.log(`picture: ${picture}`);
