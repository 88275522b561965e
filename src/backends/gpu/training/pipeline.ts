import { BackendError } from '../../../errors.ts';
import type { GpuJs, GpuMode, Kernel, Pipeline } from '../open-device.ts';
import type { Plan } from './plan.ts';
import { residentPipeline, type Resident } from './resident.ts';
import type { Dims, Tensor } from './tensor.ts';

/** How gpu.js may run a plan in each mode; anything else would be a silent fallback. */
const EXECUTORS: Readonly<Record<GpuMode, readonly string[]>> = {
  webgpu: ['fused-encoder'],
  webasm: ['fused-sync', 'fused-threaded'],
  cpu: ['generic'],
};

/** gpu.js stops a loop that it cannot prove short after 1000 turns, without a word. */
const LOOP_TURNS = 2 ** 24;

/** gpu.js's way to hand over a flat array of several dimensions. */
export type ToInput = (values: Float32Array, dims: readonly number[]) => unknown;

/** A plan compiled into one gpu.js pipeline. */
export class DevicePipeline {
  readonly plan: Plan;
  readonly #mode: GpuMode;
  readonly #toInput: ToInput;
  readonly #pipeline: Pipeline;
  readonly #kernels = new Map<string, Kernel>();
  #resident: Resident | undefined;

  constructor(gpuJs: GpuJs, mode: GpuMode, toInput: ToInput, plan: Plan) {
    this.plan = plan;
    this.#mode = mode;
    this.#toInput = toInput;
    const kernelOf = (source: string, dims: Dims): Kernel => {
      const key = `${dims.join()}|${source}`;
      let kernel = this.#kernels.get(key);
      if (!kernel) {
        const settings = { output: [...dims], loopMaxIterations: LOOP_TURNS, precision: 'single' };
        this.#kernels.set(key, (kernel = gpuJs.createKernel(source, settings)));
      }
      return kernel;
    };
    const orchestrate = (...handles: unknown[]): unknown => {
      const values = new Map<Tensor, unknown>(plan.literals);
      plan.arguments.forEach(({ tensor }, i) => values.set(tensor, handles[i]));
      for (const { source, output, inputs, scalars } of plan.calls) {
        const kernel = kernelOf(source, output.dims);
        values.set(output, kernel(...inputs.map((input) => values.get(input)), ...scalars));
      }
      return plan.results.map(({ tensor }) => values.get(tensor));
    };
    // gpu.js takes the number of arguments from the function's length.
    Object.defineProperty(orchestrate, 'length', { value: plan.arguments.length });
    this.#pipeline = gpuJs.createPipeline(orchestrate);
  }

  /** What stays on the device from run to run; undefined before the first run, and where nothing can. */
  get resident(): Resident | undefined {
    return this.#resident;
  }

  /**
   * One run. Arguments that are resident need not be given.
   *
   * @param kept names of arguments and results that stay on the device from the second run on.
   * @returns the results that came down, by name.
   * @throws BackendError where gpu.js fails, or ran it elsewhere than asked.
   */
  async run(
    given: ReadonlyMap<string, Float32Array>,
    kept: readonly string[],
  ): Promise<Map<string, Float32Array>> {
    if (this.#resident) {
      try {
        return await this.#resident.run(given);
      } catch (cause) {
        throw new BackendError(`the GPU failed: ${(cause as Error).message}`, { cause });
      }
    }
    const values = this.plan.arguments.map(({ name, tensor }) => {
      const value = given.get(name) ?? NOTHING;
      return tensor.dims.length === 1 ? value : this.#toInput(value, tensor.dims);
    });
    let results: unknown[];
    try {
      results = (await this.#pipeline(...(values as Float32Array[]))) as unknown[];
    } catch (cause) {
      throw new BackendError(`gpu.js failed in mode ${this.#mode}: ${(cause as Error).message}`, { cause });
    }
    this.#assertBackend();
    const found = new Map(this.plan.results.map(({ name }, i) => [name, flatten(results[i])]));
    if (this.#mode === 'webgpu') {
      this.#resident = residentPipeline(this.#pipeline, this.plan, kept);
    }
    return found;
  }

  #assertBackend(): void {
    const { backend, executorKind, fallbackReason } = this.#pipeline;
    if (backend !== this.#mode || !EXECUTORS[this.#mode].includes(executorKind)) {
      throw new BackendError(
        `gpu.js ran a pipeline on ${backend} (${executorKind}) and not in mode ${this.#mode}: ` +
          `${fallbackReason ?? 'no reason given'}; ask for mode ${backend} if that will do`,
      );
    }
  }

  async destroy(): Promise<void> {
    this.#resident?.destroy();
    await this.#pipeline.destroy();
    for (const kernel of this.#kernels.values()) kernel.destroy();
  }
}

const NOTHING = new Float32Array(0);

type Nested = Float32Array | readonly Nested[];

/** gpu.js gives results of three dimensions as arrays of rows. */
function flatten(result: unknown): Float32Array {
  const rows: Float32Array[] = [];
  const collect = (part: Nested): void => {
    if (part instanceof Float32Array) rows.push(part);
    else part.forEach(collect);
  };
  collect(result as Nested);
  if (rows.length === 1) return rows[0]!;
  const flat = new Float32Array(rows.reduce((sum, { length }) => sum + length, 0));
  let to = 0;
  for (const row of rows) {
    flat.set(row, to);
    to += row.length;
  }
  return flat;
}
