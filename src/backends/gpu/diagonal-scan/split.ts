/**
 * Jobs in parts whose arrays all fit a limit: over the batch first, then over channels, since neither shares state.
 * Gradients of what parts share are added up.
 */
import { BackendError } from '../../../errors.ts';
import type { DiagonalScanAttributes } from '../../../ops/diagonal-scan.ts';
import type { FloatArray } from '../../../signal/index.ts';
import type { SequenceJob } from '../../sequence.ts';
import { largestArray } from '../program.ts';
import { layOut, type Layout } from './layout.ts';
import { adjointProgram } from './programs.ts';

/** Some sequences and some channels of a job. */
export interface Part {
  readonly job: SequenceJob;
  /** The part's share of an array shaped as the output. */
  output(whole: FloatArray): FloatArray;
  /** Writes the part's share of the output. */
  putOutput(whole: FloatArray, part: FloatArray): void;
  /** Adds the part's gradient of input i. */
  addGradient(i: number, whole: FloatArray, part: FloatArray): void;
}

const layoutOf = ({ attributes, types, batch, frames }: SequenceJob): Layout =>
  layOut(attributes as DiagonalScanAttributes, types, batch, frames);

/** The largest array of a job, forward or adjoint: the adjoint holds all that forward does, but the output. */
const largest = (job: SequenceJob): number => {
  const layout = layoutOf(job);
  return Math.max(largestArray(adjointProgram(layout)), layout.batch * layout.frames * layout.outputWidth);
};

/** @throws BackendError where one channel of one sequence is too long. */
export function split(job: SequenceJob, maxElements: number): Part[] {
  if (largest(job) <= maxElements) return [partOf(job, 0, job.batch, 0, channelsOf(job))];
  const { channels } = job.attributes as DiagonalScanAttributes;
  const fits = (batch: number, width: number): boolean =>
    largest(partOf(job, 0, batch, 0, width).job) <= maxElements;
  let width = channels;
  while (!fits(1, width)) {
    const narrower = narrowerWidth(job, width);
    if (narrower === undefined) {
      throw new BackendError(
        `diagonal-scan of ${job.frames} frames × ${width} channels × ${(job.attributes as DiagonalScanAttributes).states} ` +
          `states needs arrays of more than ${maxElements} elements and cannot be divided; train on shorter sequences`,
      );
    }
    width = narrower;
  }
  let batch = job.batch;
  while (batch > 1 && !fits(batch, width)) batch = Math.ceil(batch / 2);
  const parts: Part[] = [];
  for (let item = 0; item < job.batch; item += batch) {
    for (let channel = 0; channel < channels; channel += width) {
      parts.push(partOf(job, item, Math.min(batch, job.batch - item), channel, width));
    }
  }
  return parts;
}

const channelsOf = ({ attributes }: SequenceJob): number => (attributes as DiagonalScanAttributes).channels;

/** The next smaller number of channels that divides them all and keeps every operand's groups whole. */
function narrowerWidth(job: SequenceJob, width: number): number | undefined {
  const { channels, placements } = layoutOf(job);
  for (let next = Math.floor(width / 2); next >= 1; next--) {
    if (channels % next !== 0) continue;
    const whole = placements.every(({ rows }) => {
      const group = channels / rows;
      return next % group === 0 || group % next === 0;
    });
    if (whole) return next;
  }
  return undefined;
}

function partOf(job: SequenceJob, item: number, batch: number, channel: number, width: number): Part {
  const attributes = job.attributes as DiagonalScanAttributes;
  const { frames, types } = job;
  const { channels, placements, outputWidth, states, contracted } = layoutOf(job);
  if (batch === job.batch && width === channels) {
    return {
      job,
      output: (whole) => whole,
      putOutput: (whole, part) => whole.set(part),
      addGradient: (_, whole, part) => addTo(whole, part),
    };
  }
  /** Runs of an input's numbers that belong to the part. */
  const share = placements.map(({ rows, columns, varying }): Runs => {
    const first = Math.floor((channel * rows) / channels);
    const taken = Math.max(1, (width * rows) / channels);
    return {
      first: (varying ? item * frames * rows * columns : 0) + first * columns,
      size: taken * columns,
      stride: rows * columns,
      count: varying ? batch * frames : 1,
    };
  });
  const perChannel = contracted ? 1 : states;
  const output: Runs = {
    first: item * frames * outputWidth + channel * perChannel,
    size: width * perChannel,
    stride: channels * perChannel,
    count: (batch * frames * outputWidth) / (channels * perChannel),
  };
  const part: SequenceJob = {
    ...job,
    attributes: { ...attributes, channels: width },
    types: types.map((type, i) => {
      const { rows, columns } = placements[i]!;
      const size = share[i]!.size / columns;
      const vector = type.shape.length < 2;
      return rows === size ? type : { ...type, shape: vector ? [size] : [size, columns] };
    }),
    batch,
    inputs: job.inputs.map((input, i) => take(input, share[i]!)),
  };
  return {
    job: part,
    output: (whole) => take(whole, output),
    putOutput: (whole, values) =>
      eachRun(output, (at, from) => whole.set(values.subarray(from, from + output.size), at)),
    addGradient: (i, whole, values) =>
      eachRun(share[i]!, (at, from) => {
        for (let j = 0; j < share[i]!.size; j++) whole[at + j]! += values[from + j]!;
      }),
  };
}

/** `count` runs of `size` numbers, `stride` apart. */
interface Runs {
  readonly first: number;
  readonly size: number;
  readonly stride: number;
  readonly count: number;
}

function eachRun({ first, size, stride, count }: Runs, visit: (at: number, from: number) => void): void {
  for (let run = 0; run < count; run++) visit(first + run * stride, run * size);
}

function take(whole: FloatArray, runs: Runs): FloatArray {
  const length = runs.size * runs.count;
  const part = whole instanceof Float32Array ? new Float32Array(length) : new Float64Array(length);
  eachRun(runs, (at, from) => part.set(whole.subarray(at, at + runs.size), from));
  return part;
}

function addTo(whole: FloatArray, part: FloatArray): void {
  for (let i = 0; i < whole.length; i++) whole[i]! += part[i]!;
}

/** batch × frames × width from the parts' outputs. */
export function joinOutputs(
  job: SequenceJob,
  parts: readonly Part[],
  outputs: readonly FloatArray[],
): FloatArray {
  if (parts.length === 1) return outputs[0]!;
  const whole = new Float32Array(job.batch * job.frames * layoutOf(job).outputWidth);
  parts.forEach((part, i) => part.putOutput(whole, outputs[i]!));
  return whole;
}

/** The gradients of all inputs from the parts', added up in float64 where parts share an input. */
export function joinGradients(
  job: SequenceJob,
  parts: readonly Part[],
  gradients: readonly (readonly FloatArray[])[],
): readonly FloatArray[] {
  if (parts.length === 1) return gradients[0]!;
  return job.inputs.map((input, i) => {
    const whole = new Float64Array(input.length);
    parts.forEach((part, p) => part.addGradient(i, whole, gradients[p]![i]!));
    return whole;
  });
}
