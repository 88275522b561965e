/**
 * A plant whose pole moves, followed while it runs: a first-order system that slows down, jumps and speeds up again,
 * identified live by real-time recurrent learning from what goes in and what comes out, noise included.
 *
 *     node examples/adaptive-plant.ts [picture.svg]
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { from, lastValueFrom, tap } from 'rxjs';
import { init } from 'statewave';
import { adapt } from 'statewave/operators';
import { learnedParameters, onlineDiagonal } from 'statewave/train';
import { COLOURS, draw, thin, type Row } from './support/chart.ts';

const picture = process.argv[2] ?? join(tmpdir(), 'statewave-adaptive-plant.svg');
const FRAMES = 30_000;

/** The plant's pole at frame k: slower and slower, a jump, then a wave. */
const poleAt = (k: number): number =>
  k < 10_000 ? 0.8 + (0.15 * k) / 10_000 : k < 18_000 ? 0.7 : 0.82 + 0.1 * Math.sin((k - 18_000) / 1500);

const random = init.random(1);
let state = 0;
const examples = Array.from({ length: FRAMES }, (_, k) => {
  const input = random.normal();
  state = poleAt(k) * state + (1 - poleAt(k)) * input;
  return { input, target: state + 0.02 * random.normal() };
});

// One real state: y[k] = e^−r y[k−1] + g u[k]; r and g are learned.
const model = onlineDiagonal({
  features: 1,
  states: 1,
  poles: 'real',
  feedThrough: false,
  rate: 3e-3,
  rates: { log_A_real: 3e-3, log_dt: 0 },
  beta2: 0.99,
});
const parameters = { log_A_real: [0], C: [1], log_dt: [Math.log(0.3)] };

const rows: Row[] = [];
let squares = 0;
let snapshot = (): Uint8Array => new Uint8Array();
await lastValueFrom(
  from(examples).pipe(
    adapt<number>(model, parameters, {
      precision: 'float64',
      onStream: (stream) => (snapshot = () => stream.snapshot()),
    }),
    tap({
      next: ({ error }) => {
        const k = rows.length;
        // What it believes by now. Every frame for the picture; a program would look now and then.
        const weights = learnedParameters(model, parameters, snapshot());
        const pole = Math.exp(-Math.exp(weights.get('log_A_real')![0]! + parameters.log_dt[0]!));
        rows.push({ k, pole, plant: poleAt(k), error });
        if (k >= 1000) squares += (pole - poleAt(k)) ** 2;
      },
    }),
  ),
);

const off = Math.sqrt(squares / (FRAMES - 1000));
console.log(`the pole was followed to ${off.toFixed(4)} (root mean square, after 1,000 frames)`);
await draw(picture, {
  width: 800,
  height: 300,
  background: 'white',
  title: 'A pole that moves, and what was learned of it',
  data: { values: thin(rows) },
  layer: [
    {
      mark: { type: 'line', strokeWidth: 1.2 },
      encoding: { y: { field: 'pole', type: 'quantitative' }, color: { datum: 'learned' } },
    },
    {
      mark: { type: 'line', strokeDash: [6, 3] },
      encoding: {
        y: {
          field: 'plant',
          type: 'quantitative',
          title: 'pole',
          scale: { zero: false },
        },
        color: {
          datum: 'plant',
          scale: { domain: ['learned', 'plant'], range: [COLOURS.blue, COLOURS.orange] },
          legend: { title: null },
        },
      },
    },
  ],
  encoding: { x: { field: 'k', type: 'quantitative', title: 'frame' } },
});
console.log(`picture: ${picture}`);
