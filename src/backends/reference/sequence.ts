import {
  firingsOf,
  oldestFor,
  isConstant,
  present,
  sizeOf,
  type Sequence,
  type SequenceCall,
  type StepCall,
} from '../../signal/index.ts';
import type { SequenceBackend, SequenceJob } from '../sequence.ts';

/** Whole sequences in float64 by each op's own `step` and `adjoint`: the oracle of all other backends. */
export const referenceSequences: SequenceBackend = {
  name: 'reference',
  supports: () => true,
  forward: (job) => Promise.resolve(forward(job)),
  adjoint: (job, dOutput) => Promise.resolve(adjoint(job, Float64Array.from(dOutput))),
};

interface Laid {
  readonly call: SequenceCall<unknown>;
  readonly frames: number;
  readonly width: number;
}

/** One sequence of the batch with the op's zero padding around every input. */
function layOut(job: SequenceJob, item: number): Laid {
  const { op, attributes, types } = job;
  const timing = op.timing?.(attributes, types);
  const width = sizeOf(op.shape(attributes, types, fail));
  let firings = Infinity;
  const inputs = types.map((type, i): Sequence => {
    const size = sizeOf(type.shape);
    if (isConstant(type)) return { data: Float64Array.from(job.inputs[i]!), origin: 0, width: size };
    const window = timing?.windows[i] ?? present;
    firings = Math.min(firings, timing ? firingsOf(timing, i, job.frames, true) : job.frames);
    const data = new Float64Array((window.left + job.frames + window.right) * size);
    data.set(
      job.inputs[i]!.subarray(item * job.frames * size, (item + 1) * job.frames * size),
      window.left * size,
    );
    return { data, origin: window.left * size, width: size };
  });
  const constants = types.map((type, i) => (isConstant(type) ? inputs[i]!.data : undefined));
  const prepared = op.prepare?.({ attributes, types, constants, precision: 'float64' });
  const frames = firings * (timing?.emit ?? 1);
  const kept = frames - (timing?.surplus ?? 0);
  const output = { data: new Float64Array(frames * width), origin: 0, width };
  const counts = types.map((type) => (isConstant(type) ? 1 : job.frames));
  return {
    call: { attributes, types, inputs, output, prepared, firings, frames: counts },
    frames: kept,
    width,
  };
}

/** Every firing of an op over one sequence, from a fresh state. */
export function stepSequence(job: Pick<SequenceJob, 'op'>, call: SequenceCall<unknown>): void {
  const { op } = job;
  const { attributes, types, inputs, output, prepared, firings, frames } = call;
  if (op.whole === true) {
    op.long!(call);
    return;
  }
  const timing = op.timing?.(attributes, types);
  const state = Object.fromEntries(
    Object.entries(op.state?.(attributes, types) ?? {}).map(([name, { shape, initial }]) => [
      name,
      new Float64Array(sizeOf(shape)).fill(initial ?? 0),
    ]),
  );
  const step: StepCall<unknown> = {
    attributes,
    types,
    state,
    prepared,
    firing: 0,
    inputs: inputs.map(({ data }) => ({ data, at: 0 })),
    output: { data: output.data, at: 0 },
  };
  const emit = timing?.emit ?? 1;
  for (let k = 0; k < firings; k++) {
    step.firing = k;
    inputs.forEach((input, i) => {
      const first = timing ? oldestFor(timing, i, k, frames[i]!) : k;
      step.inputs[i]!.at = isConstant(types[i]!) ? 0 : input.origin + first * input.width;
    });
    step.output.at = output.origin + k * emit * output.width;
    op.step(step);
  }
}

function forward(job: SequenceJob): Float64Array {
  const results = Array.from({ length: job.batch }, (_, item) => {
    const laid = layOut(job, item);
    stepSequence(job, laid.call);
    return laid.call.output.data.subarray(0, laid.frames * laid.width);
  });
  const size = results[0]?.length ?? 0;
  const all = new Float64Array(size * job.batch);
  results.forEach((result, item) => all.set(result, item * size));
  return all;
}

function adjoint(job: SequenceJob, dOutput: Float64Array): Float64Array[] {
  const gradients = job.inputs.map((input) => new Float64Array(input.length));
  for (let item = 0; item < job.batch; item++) {
    const { call, frames, width } = layOut(job, item);
    stepSequence(job, call);
    const dInputs = call.inputs.map(({ data, origin, width: size }) => ({
      data: new Float64Array(data.length),
      origin,
      width: size,
    }));
    const size = frames * width;
    const dOut = { data: new Float64Array(call.output.data.length), origin: 0, width };
    dOut.data.set(dOutput.subarray(item * size, (item + 1) * size));
    job.op.adjoint({ ...call, dOutput: dOut, dInputs });
    dInputs.forEach(({ data, origin, width: frame }, i) => {
      const gradient = gradients[i]!;
      if (isConstant(job.types[i]!)) {
        for (let j = 0; j < gradient.length; j++) gradient[j]! += data[j]!;
      } else {
        gradient.set(data.subarray(origin, origin + job.frames * frame), item * job.frames * frame);
      }
    });
  }
  return gradients;
}

const fail = (message: string): never => {
  throw new Error(message);
};
