import { BackendError } from '../../errors.ts';
import { diagonalScanOp, type DiagonalScanAttributes } from '../../ops/diagonal-scan.ts';
import type { AnyOp, FloatArray, SignalType } from '../../signal/index.ts';
import type { SequenceBackend, SequenceJob } from '../sequence.ts';
import { hasDeviceForm } from './diagonal-scan/coefficients.ts';
import { layOut } from './diagonal-scan/layout.ts';
import { adjointProgram, collectGradients, forwardProgram, uploads } from './diagonal-scan/programs.ts';
import { joinGradients, joinOutputs, split } from './diagonal-scan/split.ts';
import { openDevice, type GpuMode, type OpenDevice } from './open-device.ts';
import { MAX_ELEMENTS } from './program.ts';
import { Runner } from './runner.ts';

export interface GpuOptions {
  /**
   * `webgpu`: the GPU. `webasm` and `cpu`: the same kernels on the processor, to test with. `auto`, the default:
   * the first of these that is there; `note` says why it is not the first.
   */
  readonly mode?: GpuMode | 'auto';
  /** The most elements of any array on the device; larger jobs run in parts. At most 2^24, beyond which gpu.js miscounts. */
  readonly maxElements?: number;
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
 * The diagonal scan for training as gpu.js kernels: batched, parallel over batch, channels, states and chunks of
 * time, within 1e-5 of the reference (relative to the peak). What it does not do, `supports` says.
 *
 * @throws BackendError where the mode is missing here; the message names the cure.
 * @example
 * const backend = await gpu();          // 'gpu.js webgpu' where there is an adapter
 * const y = await backend.forward(job); // batch × frames × width
 * await backend.destroy();
 */
export async function gpu({
  mode = 'auto',
  maxElements = MAX_ELEMENTS,
}: GpuOptions = {}): Promise<GpuBackend> {
  if (!(maxElements >= 1 && maxElements <= MAX_ELEMENTS)) {
    throw new BackendError(`maxElements ${maxElements} must be from 1 to ${MAX_ELEMENTS} (2^24)`);
  }
  const missing: string[] = [];
  for (const one of mode === 'auto' ? (['webgpu', 'webasm', 'cpu'] as const) : [mode]) {
    try {
      return backendOn(await openDevice(one), one, missing.join('; '), maxElements);
    } catch (error) {
      if (mode !== 'auto' || one === 'cpu' || !(error instanceof BackendError)) throw error;
      missing.push(`${one} is not available: ${error.message}`);
    }
  }
  throw new BackendError(missing.join('; '));
}

function backendOn(device: OpenDevice, mode: GpuMode, note: string, maxElements: number): GpuBackend {
  const runner = new Runner(device.gpuJs, mode);
  const name = `gpu.js ${mode}`;
  let open = true;
  // One job at a time: the device is one, and so is each pipeline's memory on it.
  let last: Promise<unknown> = Promise.resolve();

  const run = <Result>(job: SequenceJob, work: () => Promise<Result>): Promise<Result> => {
    if (!open) throw new BackendError(`${name} has been destroyed; call gpu() for another`);
    if (!supports(job.op, job.attributes, job.types)) {
      throw new BackendError(
        `${name} has no form of ${job.op.name} as asked; use a backend that supports() it`,
      );
    }
    const result = last.then(work);
    last = result.catch(() => {});
    return result;
  };

  return {
    name,
    mode,
    adapter: device.adapter,
    note,
    supports,
    async forward(job) {
      return run(job, async () => {
        if (job.batch * job.frames === 0) return new Float32Array(0);
        const parts = split(job, maxElements);
        const outputs: FloatArray[] = [];
        for (const part of parts) outputs.push(await forward(runner, part.job));
        return joinOutputs(job, parts, outputs);
      });
    },
    async adjoint(job, dOutput) {
      return run(job, async () => {
        if (job.batch * job.frames === 0) return job.inputs.map(({ length }) => new Float32Array(length));
        const parts = split(job, maxElements);
        const gradients: (readonly FloatArray[])[] = [];
        for (const part of parts) gradients.push(await adjoint(runner, part.job, part.output(dOutput)));
        return joinGradients(job, parts, gradients);
      });
    },
    async destroy() {
      if (!open) return;
      open = false;
      await last;
      await device.close();
    },
  };
}

function supports(op: AnyOp, attributes: unknown, _types: readonly SignalType[]): boolean {
  return op === diagonalScanOp && hasDeviceForm((attributes as DiagonalScanAttributes).method);
}

async function forward(runner: Runner, job: SequenceJob): Promise<FloatArray> {
  const layout = layOut(job.attributes as DiagonalScanAttributes, job.types, job.batch, job.frames);
  const inputs = uploads(layout, job.inputs);
  const [output] = await runner.run(keyOf('forward', job), () => forwardProgram(layout), inputs);
  return output!;
}

async function adjoint(
  runner: Runner,
  job: SequenceJob,
  dOutput: FloatArray,
): Promise<readonly FloatArray[]> {
  const layout = layOut(job.attributes as DiagonalScanAttributes, job.types, job.batch, job.frames);
  const inputs = [...uploads(layout, job.inputs), Float32Array.from(dOutput)];
  const results = await runner.run(keyOf('adjoint', job), () => adjointProgram(layout), inputs);
  return collectGradients(layout, job.inputs, results);
}

/** Everything that a program's text depends on. */
const keyOf = (what: string, { attributes, types, batch, frames }: SequenceJob): string => {
  const { channels, states, complex, method, roles } = attributes as DiagonalScanAttributes;
  const shapes = types.map(({ shape, rate }) => [shape, rate === 'constant']);
  return JSON.stringify([what, channels, states, complex, method.family, roles, shapes, batch, frames]);
};
