import type { Stream } from '../../stream/index.ts';
import type { Subject } from '../case.ts';
import { deviation, worst, type Deviation } from '../compare.ts';
import { framesOf } from '../layout.ts';
import { inputsOf, join, openStream } from '../open.ts';

/** All frames of every input port of one item of the batch. */
export type Inputs = Readonly<Record<string, Float64Array>>;

/** Puts a whole input through a fresh stream in some way; gives all that comes out, the end included. */
export type Feed = (stream: Stream, inputs: Inputs, frames: number) => Float64Array;

/** The official outputs that a subject's runs are held to. */
export const outputTensors = ({ runs }: Subject): string[] =>
  runs.flatMap(({ outputs }) => Object.values(outputs));

/** Runs every item of every run through `feed` and compares with the official outputs. */
export function compareOutputs(subject: Subject, feed: Feed): Deviation {
  const { golden, runs } = subject;
  const deviations = runs.flatMap((run) => {
    const inputs = inputsOf(subject, run);
    const { frames } = lengthOf(subject, Object.values(run.inputs)[0]);
    return Object.entries(run.outputs).map(([port, name]) => {
      const { shape, values } = golden.tensor(name);
      const official = framesOf(shape, values, golden.layoutOf(name));
      const skipped = (run.from ?? 0) * official.width;
      const end = run.cropped === true ? official.frames * official.width : undefined;
      const ours = inputs.map((item) =>
        feed(openStream(subject, run, port), item, frames).subarray(skipped, end),
      );
      return deviation(join(ours), join(official.items.map((item) => item.subarray(skipped))), name);
    });
  });
  return worst(deviations);
}

/** Frames and width of an official sequence. */
export function lengthOf({ golden }: Subject, name: string): { frames: number; width: number } {
  const { shape, values } = golden.tensor(name);
  return framesOf(shape, values, golden.layoutOf(name));
}
