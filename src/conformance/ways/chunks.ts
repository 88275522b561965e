import { random } from '../../init/index.ts';
import type { FloatArray } from '../../signal/index.ts';
import type { Stream } from '../../stream/index.ts';
import type { Subject, Way } from '../case.ts';
import { deviation, worst, type Deviation } from '../compare.ts';
import { cutFrames, inputsOf, join, openStream } from '../open.ts';
import { lengthOf, type Inputs } from './outputs.ts';

/** Block sizes at and around the powers of two and the usual hardware blocks. */
const SIZES = [1, 2, 3, 7, 64, 127, 128, 129, 480, 1024];

/** Random cuts, empty blocks among them. */
const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8];

/** What a stream gave and what it remembered when the input was through. */
interface Trail {
  readonly output: Float64Array;
  readonly state: Uint8Array;
}

/** Any cutting of the input into blocks gives the same bits, in the output and in the state. */
export const chunks = (subject: Subject): Way => ({
  tensors: [],
  measure() {
    const deviations: Deviation[] = [];
    for (const run of subject.runs) {
      const { frames } = lengthOf(subject, Object.values(run.inputs)[0]);
      for (const port of Object.keys(run.outputs)) {
        for (const inputs of inputsOf(subject, run)) {
          const open = (): Stream => openStream(subject, run, port);
          const whole = follow(open(), inputs, frames, [frames]);
          for (const size of SIZES.filter((each) => each < frames))
            deviations.push(difference(follow(open(), inputs, frames, evenly(frames, size)), whole, size));
          for (const seed of SEEDS)
            deviations.push(
              difference(follow(open(), inputs, frames, raggedly(frames, seed)), whole, 'random'),
            );
        }
      }
    }
    return worst(deviations);
  },
});

const evenly = (frames: number, size: number): number[] =>
  Array.from({ length: Math.ceil(frames / size) }, (_, i) => Math.min(size, frames - i * size));

function raggedly(frames: number, seed: number): number[] {
  const source = random(seed);
  const sizes: number[] = [];
  const most = Math.min(200, Math.max(2, frames / 2));
  for (let left = frames; left > 0; left -= sizes.at(-1)!)
    sizes.push(Math.min(left, Math.floor(source.uniform(0, most))));
  return sizes;
}

function follow(stream: Stream, inputs: Inputs, frames: number, sizes: readonly number[]): Trail {
  const parts: FloatArray[] = [];
  let from = 0;
  for (const size of sizes) {
    parts.push(stream.push(cutFrames(inputs, frames, from, from + size)));
    from += size;
  }
  const state = stream.snapshot();
  return { output: join([...parts, stream.flush()]), state };
}

/** 0 for the same bits; else how far the outputs are apart, or infinite where only bits or the state tell. */
function difference(found: Trail, whole: Trail, size: number | 'random'): Deviation {
  const bytes = ({ buffer }: Float64Array): Uint8Array => new Uint8Array(buffer);
  if (Buffer.compare(bytes(found.output), bytes(whole.output)) !== 0) {
    const { error, place } = deviation(found.output, whole.output, `output in chunks of ${size}`);
    return { error: error === 0 ? Infinity : error, place };
  }
  if (Buffer.compare(found.state, whole.state) !== 0)
    return { error: Infinity, place: `the state after chunks of ${size} is another` };
  return { error: 0, place: '' };
}
