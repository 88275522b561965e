/**
 * What stays on the device between the runs of a pipeline. gpu.js 2.24 uploads every argument and reads every result
 * at each run; its WebGPU executor keeps them in plain buffers, though. Here, once a pipeline has been compiled by its
 * first run, its kernels are dispatched from here over the same buffers, in one pass: only what changes goes up, only
 * what is asked for comes down, and what stays is copied on the device. All that is touched of gpu.js's inside is in
 * this file.
 */
import { BackendError } from '../../../errors.ts';
import type { Pipeline } from '../open-device.ts';
import type { Plan } from './plan.ts';

/** The part of a WebGPU buffer that is used here. */
export interface DeviceBuffer {
  readonly size: number;
  mapAsync(mode: number): Promise<void>;
  getMappedRange(): ArrayBuffer;
  unmap(): void;
  destroy(): void;
}

interface CommandEncoder {
  copyBufferToBuffer(from: DeviceBuffer, fromAt: number, to: DeviceBuffer, toAt: number, bytes: number): void;
  beginComputePass(): ComputePass;
  finish(): unknown;
}

interface ComputePass {
  setPipeline(pipeline: unknown): void;
  setBindGroup(index: number, group: unknown): void;
  dispatchWorkgroups(x: number, y: number, z: number): void;
  end(): void;
}

/** The part of a WebGPU device that is used here. */
export interface Device {
  readonly queue: {
    submit(commands: readonly unknown[]): void;
    writeBuffer(buffer: DeviceBuffer, at: number, data: Float32Array): void;
    onSubmittedWorkDone(): Promise<void>;
  };
  createBuffer(descriptor: { size: number; usage: number }): DeviceBuffer;
  createCommandEncoder(): CommandEncoder;
}

interface StepPass {
  readonly pipeline: unknown;
  readonly bindGroup: unknown;
  readonly groups: readonly [number, number, number];
}

interface Executor {
  readonly _device: Device;
  readonly _argRegions: Map<number, { readonly buffer: DeviceBuffer }>;
  readonly _resultReads: readonly { readonly buffer: DeviceBuffer; readonly byteLength: number }[];
  readonly _passes: readonly StepPass[];
}

export interface Resident {
  readonly device: Device;
  /** Buffers of the arguments and of the results that stay. */
  readonly arguments: ReadonlyMap<string, DeviceBuffer>;
  readonly results: ReadonlyMap<string, DeviceBuffer>;
  /** One run: the other arguments go up, the other results come down, flat. */
  run(given: ReadonlyMap<string, Float32Array>): Promise<Map<string, Float32Array>>;
  /** The time that each kernel takes by itself, in milliseconds: the mean of `times` runs one behind the other. */
  profile(times: number): Promise<number[]>;
  destroy(): void;
}

const MAP_READ = 1;
const MAP_READ_AND_COPY = 0x0001 | 0x0008;

/** @throws BackendError where gpu.js is not built as this file knows it. */
export function residentPipeline(pipeline: Pipeline, plan: Plan, kept: readonly string[]): Resident {
  const executor = (pipeline as unknown as { pipeline?: { _executor?: Partial<Executor> } }).pipeline
    ?._executor;
  const { _device: device, _argRegions: regions, _resultReads: reads, _passes: passes } = executor ?? {};
  if (!device || !(regions instanceof Map) || !reads || !passes) {
    throw new BackendError(
      'this version of gpu.js keeps its buffers elsewhere than 2.24 does; install gpu.js 2.24, or use mode webasm',
    );
  }
  const staying = new Map<string, DeviceBuffer>();
  const uploads: { name: string; buffer: DeviceBuffer }[] = [];
  plan.arguments.forEach(({ name }, i) => {
    // An argument that no kernel reads has no buffer.
    const buffer = regions.get(i)?.buffer;
    if (!buffer) return;
    if (kept.includes(name)) staying.set(name, buffer);
    else uploads.push({ name, buffer });
  });
  const results = new Map<string, DeviceBuffer>();
  const downloads: { name: string; buffer: DeviceBuffer; bytes: number; at: number }[] = [];
  let bytes = 0;
  plan.results.forEach(({ name }, i) => {
    const { buffer, byteLength } = reads[i]!;
    if (kept.includes(name)) {
      results.set(name, buffer);
    } else {
      downloads.push({ name, buffer, bytes: byteLength, at: bytes });
      bytes += Math.ceil(byteLength / 16) * 16;
    }
  });
  const staging = device.createBuffer({ size: Math.max(16, bytes), usage: MAP_READ_AND_COPY });
  const { queue } = device;
  const dispatch = (pass: ComputePass, { pipeline: compiled, bindGroup, groups }: StepPass): void => {
    pass.setPipeline(compiled);
    pass.setBindGroup(0, bindGroup);
    pass.dispatchWorkgroups(...groups);
  };

  return {
    device,
    arguments: staying,
    results,
    async run(given) {
      for (const { name, buffer } of uploads) queue.writeBuffer(buffer, 0, given.get(name)!);
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      for (const step of passes) dispatch(pass, step);
      pass.end();
      for (const { buffer, bytes: size, at } of downloads) {
        encoder.copyBufferToBuffer(buffer, 0, staging, at, size);
      }
      queue.submit([encoder.finish()]);
      await staging.mapAsync(MAP_READ);
      const mapped = staging.getMappedRange();
      const found = new Map(
        downloads.map(({ name, bytes: size, at }) => [name, new Float32Array(mapped.slice(at, at + size))]),
      );
      staging.unmap();
      return found;
    },
    async profile(times) {
      const spent: number[] = [];
      for (const step of passes) {
        const encoder = device.createCommandEncoder();
        const pass = encoder.beginComputePass();
        for (let i = 0; i < times; i++) dispatch(pass, step);
        pass.end();
        const commands = encoder.finish();
        await queue.onSubmittedWorkDone();
        const before = performance.now();
        queue.submit([commands]);
        await queue.onSubmittedWorkDone();
        spent.push((performance.now() - before) / times);
      }
      return spent;
    },
    destroy: () => staging.destroy(),
  };
}
