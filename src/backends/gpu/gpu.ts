import { BackendError } from '../../errors.ts';
import { isConstant, sizeOf, type FloatArray } from '../../signal/index.ts';
import type { SequenceBackend, SequenceJob } from '../sequence.ts';
import type { GpuMode } from './open-device.ts';
import { openTrainingDevice, type TrainingDevice } from './training/device.ts';
import { GradientBook } from './training/book.ts';
import type { BackwardCall, ForwardCall } from './training/kernels.ts';
import { kernelsByName, lackingIn } from './training/ops/index.ts';
import type { DevicePipeline } from './training/pipeline.ts';
import { Plan } from './training/plan.ts';
import { type Dims, type Tensor } from './training/tensor.ts';

export interface GpuOptions {
  /**
   * `webgpu`: the GPU. `webasm` and `cpu`: the same kernels on the processor, to test with. `auto`, the default:
   * the first of these that is there; `note` says why it is not the first.
   */
  readonly mode?: GpuMode | 'auto';
}

export interface GpuBackend extends SequenceBackend {
  readonly mode: GpuMode;
  /** The adapter, as its driver describes it. */
  readonly adapter: string;
  /** Why a mode that `auto` prefers is not used; empty otherwise. */
  readonly note: string;
  /** Frees the device. Jobs that run are waited for; later ones are refused. */
  destroy(): Promise<void>;
}

/**
 * Single ops over batches of whole sequences by the kernels that train: batched, parallel over batch, channels, states
 * and chunks of time, within 1e-5 of the reference (relative to the peak). What has no kernels, `supports` says.
 *
 * @throws BackendError where the mode is missing here; the message names the cure.
 * @example
 * const backend = await gpu();          // 'gpu.js webgpu' where there is an adapter
 * const y = await backend.forward(job); // batch × frames × width
 * await backend.destroy();
 */
export async function gpu({ mode = 'auto' }: GpuOptions = {}): Promise<GpuBackend> {
  const missing: string[] = [];
  for (const one of mode === 'auto' ? (['webgpu', 'webasm', 'cpu'] as const) : [mode]) {
    try {
      return backendOn(await openTrainingDevice(one), missing.join('; '));
    } catch (error) {
      if (mode !== 'auto' || one === 'cpu' || !(error instanceof BackendError)) throw error;
      missing.push(`${one} is not available: ${error.message}`);
    }
  }
  throw new BackendError(missing.join('; '));
}

/** Compiled jobs kept; the least recently used goes first. */
const KEPT = 24;

function backendOn(device: TrainingDevice, note: string): GpuBackend {
  const name = `gpu.js ${device.mode}`;
  const compiled = new Map<string, DevicePipeline>();
  let open = true;
  // One job at a time: the device is one, and so is each pipeline's memory on it.
  let last: Promise<unknown> = Promise.resolve();

  const find = (key: string, write: () => Plan): DevicePipeline => {
    let found = compiled.get(key);
    if (found) compiled.delete(key);
    else found = device.compile(write());
    compiled.set(key, found);
    for (const [old, pipeline] of compiled) {
      if (compiled.size <= KEPT) break;
      compiled.delete(old);
      void pipeline.destroy();
    }
    return found;
  };
  const run = <Result>(job: SequenceJob, work: () => Promise<Result>): Promise<Result> => {
    if (!open) throw new BackendError(`${name} has been destroyed; call gpu() for another`);
    const lacking = lackingIn(job.op, job.attributes, job.types);
    if (lacking !== undefined) {
      throw new BackendError(`${name} has no form of ${lacking}; use a backend that supports() it`);
    }
    const result = last.then(work);
    last = result.catch(() => {});
    return result;
  };

  return {
    name,
    mode: device.mode,
    adapter: device.adapter,
    note,
    supports: (op, attributes, types) => lackingIn(op, attributes, types) === undefined,
    async forward(job) {
      return run(job, async () => {
        if (job.batch * job.frames === 0) return new Float32Array(0);
        const pipeline = find(keyOf('forward', job), () => {
          const plan = new Plan();
          plan.result('output', forwardOf(plan, job).output);
          return plan;
        });
        return (await pipeline.run(argumentsOf(job), [])).get('output')!;
      });
    },
    async adjoint(job, dOutput) {
      return run(job, async () => {
        if (job.batch * job.frames === 0) return job.inputs.map(({ length }) => new Float32Array(length));
        const pipeline = find(keyOf('adjoint', job), () => adjointPlan(job));
        const given = argumentsOf(job).set('dOutput', Float32Array.from(dOutput));
        const found =
          pipeline.plan.results.length > 0 ? await pipeline.run(given, []) : new Map<string, Float32Array>();
        return job.inputs.map((input, i): FloatArray => found.get(`${i}`) ?? new Float32Array(input.length));
      });
    },
    async destroy() {
      if (!open) return;
      open = false;
      await last;
      for (const pipeline of compiled.values()) await pipeline.destroy();
      await device.close();
    },
  };
}

interface Written {
  readonly call: ForwardCall;
  readonly output: Tensor;
  readonly saved: ReadonlyMap<string, Tensor>;
}

/** The kernels of a job's op, its inputs being arguments `0`, `1`, …. */
function forwardOf(plan: Plan, { op, attributes, types, batch, frames }: SequenceJob): Written {
  const clock = { frames, row: 0 };
  const inputs = types.map((type, i) => {
    const size = sizeOf(type.shape);
    return plan.argument(`${i}`, isConstant(type) ? [size] : [size, frames, batch]);
  });
  const fail = (message: string): never => {
    throw new BackendError(message);
  };
  const kernels = kernelsByName(op.name)!;
  const call: ForwardCall = {
    plan,
    label: op.name,
    op,
    attributes,
    types,
    prepared: undefined,
    inputs,
    dims: [sizeOf(op.shape(attributes, types, fail)), frames, batch] satisfies Dims,
    clocks: types.map((type) => (isConstant(type) ? undefined : clock)),
    clock,
    items: batch,
    lengths: plan.argument('lengths', [batch]),
  };
  const saved = new Map<string, Tensor>();
  const output = kernels.forward(call as ForwardCall<never, never>, (name, tensor) =>
    saved.set(name, tensor),
  );
  return { call, output, saved };
}

function adjointPlan(job: SequenceJob): Plan {
  const plan = new Plan();
  const { call, output, saved } = forwardOf(plan, job);
  const book = new GradientBook(plan);
  const backward: BackwardCall = {
    ...call,
    output,
    saved,
    dOutput: plan.argument('dOutput', output.dims),
    wanted: () => true,
    give: (i, gradient, start) => book.give(call.inputs[i]!, gradient, call.label, start),
  };
  kernelsByName(job.op.name)!.adjoint(backward as BackwardCall<never, never>);
  call.inputs.forEach((input, i) => {
    const gradient = book.read(input, call.label);
    if (gradient) plan.result(`${i}`, gradient);
  });
  return plan;
}

const argumentsOf = ({ inputs, batch, frames }: SequenceJob): Map<string, Float32Array> => {
  const given = new Map(inputs.map((input, i) => [`${i}`, Float32Array.from(input)]));
  return given.set('lengths', new Float32Array(batch).fill(frames));
};

/** Everything that a plan's text depends on. */
const keyOf = (what: string, { op, attributes, types, batch, frames }: SequenceJob): string => {
  const shapes = types.map(({ shape, rate }) => [shape, rate === 'constant']);
  return JSON.stringify([what, op.name, attributes, shapes, batch, frames]);
};
