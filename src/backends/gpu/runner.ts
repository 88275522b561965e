import { BackendError } from '../../errors.ts';
import { deviceFunctions } from './functions.ts';
import type { GpuJs, GpuMode, Kernel, Pipeline } from './open-device.ts';
import type { Program } from './program.ts';

/** How gpu.js may run a program in each mode; anything else would be a silent fallback. */
const EXECUTORS: Readonly<Record<GpuMode, readonly string[]>> = {
  webgpu: ['fused-encoder'],
  webasm: ['fused-sync', 'fused-threaded'],
  cpu: ['generic'],
};

/** gpu.js stops a loop that it cannot prove short after 1000 turns, without a word. */
const LOOP_TURNS = 2 ** 24;

/** Compiled programs kept; the least recently used goes first. */
const KEPT = 24;

interface Compiled {
  readonly pipeline: Pipeline;
  readonly kernels: readonly Kernel[];
}

/** Compiles programs into gpu.js pipelines, keeps them by key, and runs them with everything in between on the device. */
export class Runner {
  readonly #gpuJs: GpuJs;
  readonly #mode: GpuMode;
  readonly #compiled = new Map<string, Compiled>();

  constructor(gpuJs: GpuJs, mode: GpuMode) {
    this.#gpuJs = gpuJs;
    this.#mode = mode;
    for (const source of deviceFunctions) gpuJs.addFunction(source);
  }

  /** @throws BackendError where gpu.js fails, or ran it elsewhere than asked. */
  async run(key: string, program: () => Program, inputs: readonly Float32Array[]): Promise<Float32Array[]> {
    const { pipeline } = this.#find(key, program);
    let results: Float32Array[];
    try {
      results = await pipeline(...inputs);
    } catch (cause) {
      throw new BackendError(`gpu.js failed in mode ${this.#mode}: ${(cause as Error).message}`, { cause });
    }
    const { backend, executorKind, fallbackReason } = pipeline;
    if (backend !== this.#mode || !EXECUTORS[this.#mode].includes(executorKind)) {
      throw new BackendError(
        `gpu.js ran a kernel on ${backend} (${executorKind}) and not in mode ${this.#mode}: ` +
          `${fallbackReason ?? 'no reason given'}; ask for mode ${backend} if that will do`,
      );
    }
    return results;
  }

  #find(key: string, program: () => Program): Compiled {
    let found = this.#compiled.get(key);
    if (found) {
      this.#compiled.delete(key);
    } else {
      found = compile(this.#gpuJs, program());
      for (const [old, { pipeline, kernels }] of this.#compiled) {
        if (this.#compiled.size < KEPT) break;
        this.#compiled.delete(old);
        void pipeline.destroy();
        for (const kernel of kernels) kernel.destroy();
      }
    }
    this.#compiled.set(key, found);
    return found;
  }
}

function compile(gpuJs: GpuJs, { inputs, steps, results }: Program): Compiled {
  const kernels = steps.map(({ source, length }) =>
    gpuJs.createKernel(source, { output: [length], loopMaxIterations: LOOP_TURNS, precision: 'single' }),
  );
  const orchestrate = (...handles: unknown[]): unknown => {
    const values = new Map(inputs.map(({ name }, i) => [name, handles[i]]));
    steps.forEach((step, i) => {
      values.set(step.output, kernels[i]!(...step.inputs.map((name) => values.get(name))));
    });
    return results.map((name) => values.get(name));
  };
  // gpu.js takes the number of arguments from the function's length.
  Object.defineProperty(orchestrate, 'length', { value: inputs.length });
  return { pipeline: gpuJs.createPipeline(orchestrate), kernels };
}
