/**
 * Cost and memory against what has been heard: a state space model's stay what they are, attention to the whole past
 * grows with it, and attention to a window grows up to the window.
 */
import { attention } from '../../../src/layers/attention.ts';
import { initialise } from '../../../src/layers/initialise.ts';
import { mamba } from '../../../src/layers/mamba.ts';
import type { Model } from '../../../src/signal/index.ts';
import { compile, type Parameters } from '../../../src/stream/index.ts';
import { noise } from '../noise.ts';
import { s4dRecurrence } from '../s4d/model.ts';
import { spread } from '../statistics.ts';
import type { Chart, Point } from './chart.ts';
import { point } from './sweep.ts';

const FEATURES = 64;
const BLOCK = 128;
const WINDOW = 256;
/** Blocks that are timed at the end of a run. */
const TIMED = 15;

/** A kind of memory: the model that has heard `length` samples and forgets none that it is meant to know. */
interface Memory {
  readonly label: string;
  model(length: number): { readonly model: Model; readonly parameters: Parameters };
}

const fixed = (model: Model, parameters: Parameters = initialise(model, 1)) => ({ model, parameters });
const attending = (window: number) => fixed(attention({ features: FEATURES, heads: 4, window }));
const s4d = s4dRecurrence(FEATURES, 32);
const mixer = fixed(mamba({ features: FEATURES }));

const memories: readonly Memory[] = [
  { label: 'S4D, 64 × 32', model: () => s4d },
  { label: 'Mamba, d_model 64', model: () => mixer },
  { label: `attention, window of ${WINDOW}`, model: () => attending(WINDOW) },
  { label: 'attention, whole past', model: (length) => attending(length) },
];

const LENGTHS = Array.from({ length: 13 }, (_, i) => 2 ** (8 + i));

export const lengthCharts: readonly Chart[] = [
  {
    name: 'length',
    async measure({ name }) {
      const seconds = name === 'quick' ? 0.5 : 20;
      const lines = memories.map((memory) => ({ label: memory.label, ...run(memory, seconds) }));
      const about = `${FEATURES} channels, blocks of ${BLOCK}, float32; attention has 4 heads.`;
      return {
        skips: [],
        charts: [
          {
            name: 'length-cost',
            title: 'Cost of a sample against the samples heard',
            about: `${about} A line ends where the next point would take more than ${seconds} s.`,
            x: 'samples heard',
            y: 'ns a sample',
            series: lines.map(({ label, cost }) => ({ label, points: cost })),
          },
          {
            name: 'length-memory',
            title: 'Memory of a stream against the samples heard',
            about: `${about} Bytes of a snapshot: the state and a header of some hundred bytes.`,
            x: 'samples heard',
            y: 'bytes',
            series: lines.map(({ label, memory }) => ({ label, points: memory })),
          },
        ],
      };
    },
  },
];

/** Each length anew, as long as the time that the next one is likely to take is there. */
function run({ model }: Memory, seconds: number): { cost: Point[]; memory: Point[] } {
  const cost: Point[] = [];
  const memory: Point[] = [];
  for (const length of LENGTHS) {
    const built = model(length);
    const stream = compile(built.model, built.parameters, { precision: 'float32' });
    const input = noise(BLOCK * stream.inputChannels);
    const output = new Float32Array(BLOCK * stream.outputChannels);
    const time = (): number => {
      const start = process.hrtime.bigint();
      stream.process(input, output);
      return Number(process.hrtime.bigint() - start) / BLOCK;
    };
    // The first length warms the code; its own history is forgotten again.
    if (length === LENGTHS[0]) {
      for (const end = Date.now() + 300; Date.now() < end;) time();
      stream.reset();
    }
    const start = Date.now();
    for (let heard = 0; heard < length - BLOCK; heard += BLOCK) stream.process(input, output);
    // All at about this length: a few blocks more do not change it where it matters.
    const timed = Array.from({ length: TIMED }, time);
    cost.push(point(length, spread(timed)));
    const bytes = stream.snapshot().length;
    memory.push({ x: length, y: bytes, lower: bytes, upper: bytes });
    // Twice as many samples, each at most twice as dear.
    if ((Date.now() - start) / 1000 > seconds / 4) break;
  }
  return { cost, memory };
}
