/**
 * What system is this? A state space from a noisy recording of what went in and what came out, and the filter that runs
 * it from then on.
 *
 *     node examples/identify.ts [picture.svg]
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compile, init, lti } from 'statewave';
import { identify } from 'statewave/estimation';
import { COLOURS, draw } from './support/chart.ts';

const picture = process.argv[2] ?? join(tmpdir(), 'statewave-identify.svg');

// The unknown: a structure that rings at 12 Hz and a slow mode, sampled at 200 Hz, read with a fifth of noise.
const SAMPLE_RATE = 200;
const plant = lti({ b: [30, 1735, 187_600], a: [1, 11, 5695, 56_850] }, { domain: 'continuous' });
const random = init.random(2);
const u = Float64Array.from({ length: 8000 }, () => random.normal());
const clean = compile(plant, {}, { sampleRate: SAMPLE_RATE, precision: 'float64' }).push(u);
const spread = Math.hypot(...clean) / Math.sqrt(clean.length);
const y = Float64Array.from(clean, (value) => value + 0.2 * spread * random.normal());

const { system, poles, singularValues, fit } = identify(u, y, { order: 3 });
console.log(
  `singular values: ${Array.from(singularValues.subarray(0, 6), (value) => value.toFixed(2)).join(', ')} …: three stand out`,
);
for (const { re, im } of poles) {
  const [decay, frequency] = [
    -Math.log(Math.hypot(re, im)) * SAMPLE_RATE,
    (Math.atan2(im, re) * SAMPLE_RATE) / (2 * Math.PI),
  ];
  console.log(
    `pole ${re.toFixed(4)} ${im < 0 ? '−' : '+'} ${Math.abs(im).toFixed(4)} i: ${frequency.toFixed(2)} Hz, decays by ${decay.toFixed(2)} /s`,
  );
}
console.log(`explains ${fit.toFixed(1)} % of the noisy recording from its input alone`);

// A step that it has never seen.
const step = new Float64Array(200).fill(1);
const truth = compile(plant, {}, { sampleRate: SAMPLE_RATE, precision: 'float64' }).push(step);
const model = compile(lti(system), {}, { precision: 'float64' }).push(step);
const worst =
  Math.max(...truth.map((value, k) => Math.abs(value - model[k]!))) / Math.max(...truth.map(Math.abs));
console.log(`its step response is right to ${(100 * worst).toFixed(1)} % of the peak`);
await draw(picture, {
  background: 'white',
  title: 'Step response of the plant, and of what was identified from noisy data',
  width: 800,
  height: 280,
  data: {
    values: [...truth].flatMap((value, k) => [
      { time: k / SAMPLE_RATE, value, who: 'plant' },
      { time: k / SAMPLE_RATE, value: model[k]!, who: 'identified' },
    ]),
  },
  mark: { type: 'line', strokeWidth: 1.5 },
  encoding: {
    x: { field: 'time', type: 'quantitative', title: 'time (s)' },
    y: { field: 'value', type: 'quantitative', title: 'output' },
    strokeDash: { field: 'who', legend: null },
    color: {
      field: 'who',
      type: 'nominal',
      legend: { title: null },
      scale: { domain: ['plant', 'identified'], range: [COLOURS.orange, COLOURS.blue] },
    },
  },
});
console.log(`picture: ${picture}`);
