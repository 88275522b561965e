import type { FloatArray } from '../../signal/index.ts';
import type { Subject, Way } from '../case.ts';
import { cutFrames, join } from '../open.ts';
import { compareOutputs, outputTensors, type Feed } from './outputs.ts';

const frameByFrame: Feed = (stream, inputs, frames) => {
  const parts: FloatArray[] = [];
  for (let k = 0; k < frames; k++) parts.push(stream.push(cutFrames(inputs, frames, k, k + 1)));
  return join([...parts, stream.flush()]);
};

/** One frame at a time, as a live signal comes. */
export const step = (subject: Subject): Way => ({
  tensors: outputTensors(subject),
  measure: () => compareOutputs(subject, frameByFrame),
});
