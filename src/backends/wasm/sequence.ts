import type { AnyOp, FloatArray, SignalType } from '../../signal/index.ts';
import { isConstant, sizeOf } from '../../signal/index.ts';
import { diagonalScanOp, type DiagonalScanAttributes, type ScanPlan } from '../../ops/diagonal-scan.ts';
import { BackendError } from '../../errors.ts';
import type { SequenceBackend, SequenceJob } from '../sequence.ts';
import { adjointSequences } from './adjoint.ts';
import { isFoldable, planFolded } from './folded.ts';
import { planGeneral } from './general.ts';
import { needBuild, type WasmBuild, type WasmOptions } from './module.ts';
import { Bytes, familyOf, type Scan } from './scan.ts';

/**
 * A lane is computed in float64 in training when 1 − |Ā| is below this: with Ā in float32 its phase and decay drift by
 * 3e-8/(1 − |Ā|) over its memory, gradients for `dt` and `a` by several times that, and they are held to 1e-5.
 */
const SLOW_LANE = 1 / 16;

/**
 * Diagonal scans over batches of whole sequences on WebAssembly SIMD, forward and adjoint, in float32 with float64
 * for slow modes and for sums over time. One sequence at a time; memory is that of one sequence and its gradients.
 *
 * @throws BackendError where the engine has no WebAssembly SIMD, or is given a job it does not support.
 */
export function wasmSequences(options: WasmOptions = {}): SequenceBackend {
  const build = needBuild(options);
  return {
    name: build.name,
    supports,
    forward: (job) => attempt(job, () => forward(build, job)),
    adjoint: (job, dOutput) => attempt(job, () => adjointSequences(build, job, scanOf(job), dOutput)),
  };
}

const supports = (op: AnyOp, attributes: unknown, _types: readonly SignalType[]): boolean =>
  op === diagonalScanOp && familyOf((attributes as DiagonalScanAttributes).method) !== undefined;

function attempt<Result>(job: SequenceJob, work: () => Result): Promise<Result> {
  if (supports(job.op, job.attributes, job.types)) return new Promise((resolve) => resolve(work()));
  const method = (job.attributes as Partial<DiagonalScanAttributes>).method?.name;
  return Promise.reject(
    new BackendError(
      `the wasm backend does not train ${job.op.name}${method === undefined ? '' : ` with ${method}`}; ` +
        'ask supports() first, and run it on the reference',
    ),
  );
}

function scanOf({ attributes, types, inputs }: SequenceJob): Scan {
  const constants = types.map((type, i) => (isConstant(type) ? Float64Array.from(inputs[i]!) : undefined));
  const scan = attributes as DiagonalScanAttributes;
  const plan: ScanPlan = diagonalScanOp.prepare!({
    attributes: scan,
    types,
    constants,
    precision: 'float64',
  });
  const aBar = plan.coefficients?.aBar;
  const wide = Uint8Array.from(plan.rounded, (_, lane) =>
    aBar && 1 - Math.hypot(aBar[2 * lane]!, aBar[2 * lane + 1]!) < SLOW_LANE ? 1 : 0,
  );
  return { attributes: scan, types, constants, plan, wide };
}

/** The streaming kernels, each sequence from a fresh state. */
function forward(build: WasmBuild, job: SequenceJob): FloatArray {
  const { op, attributes, types, batch, frames } = job;
  const scan = scanOf(job);
  const plan = isFoldable(scan) ? planFolded(scan) : planGeneral(scan);
  const bytes = new Bytes();
  const kernelAt = bytes.take(plan.bytes);
  const stateAt = bytes.take(plan.stateBytes ?? 0);
  const inputsAt = types.map((type) => (isConstant(type) ? -1 : bytes.take(4 * frames * sizeOf(type.shape))));
  const width = sizeOf(op.shape(attributes, types, impossible));
  const outputAt = bytes.take(4 * frames * width);
  const arena = build.open(bytes.size);
  const view = (from: number, length: number): Float32Array => new Float32Array(arena.buffer, from, length);

  const inputs = types.map(({ shape }, i) => ({
    data: inputsAt[i]! < 0 ? new Float32Array(0) : view(inputsAt[i]!, frames * sizeOf(shape)),
    at: 0,
  }));
  const output = { data: view(outputAt, frames * width), at: 0 };
  const sections = Object.entries(op.state?.(attributes, types) ?? {});
  const state = Object.fromEntries(
    sections.map(([name, { shape }]) => [name, new Float64Array(sizeOf(shape))]),
  );
  const node = { stateAt, inputs, output, state };
  plan.pack?.(arena, kernelAt, node);
  const kernel = plan.bind(arena, kernelAt, node);
  const result = new Float32Array(batch * frames * width);
  for (let item = 0; item < batch; item++) {
    inputs.forEach(({ data }, i) => {
      if (data.length > 0) data.set(job.inputs[i]!.subarray(item * data.length, (item + 1) * data.length));
    });
    kernel.load?.();
    kernel.run(frames, 0);
    result.set(output.data, item * frames * width);
  }
  return result;
}

const impossible = (message: string): never => {
  throw new Error(message);
};
