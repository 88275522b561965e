/**
 * What stays on the device between the runs of a pipeline. gpu.js 2.24 uploads every argument and reads every result
 * at each run; its WebGPU executor keeps them in plain buffers, though. Here, once a pipeline has been compiled by its
 * first run, named arguments are taken off its list of uploads and named results off its list of reads, and their
 * buffers are copied on the device instead. All that is touched of gpu.js's inside is in this file.
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
  _resultReads: readonly { readonly kind: string; readonly buffer: DeviceBuffer }[];
  readonly _passes: readonly StepPass[];
}

export interface Resident {
  readonly device: Device;
  /** Results that still come down, in order. */
  readonly names: readonly string[];
  /** Buffers of the arguments and of the results that stay. */
  readonly arguments: ReadonlyMap<string, DeviceBuffer>;
  readonly results: ReadonlyMap<string, DeviceBuffer>;
  /** The time that each kernel takes by itself, in milliseconds: the mean of `times` runs one behind the other. */
  profile(times: number): Promise<number[]>;
}

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
  const argumentsKept = new Map<string, DeviceBuffer>();
  plan.arguments.forEach(({ name }, i) => {
    const region = regions.get(i);
    if (!kept.includes(name) || !region) return;
    argumentsKept.set(name, region.buffer);
    regions.delete(i);
  });
  const results = new Map<string, DeviceBuffer>();
  const names: string[] = [];
  const read: Executor['_resultReads'][number][] = [];
  plan.results.forEach(({ name }, i) => {
    if (kept.includes(name)) {
      results.set(name, reads[i]!.buffer);
    } else {
      names.push(name);
      read.push(reads[i]!);
    }
  });
  (executor as Executor)._resultReads = read;
  return {
    device,
    names,
    arguments: argumentsKept,
    results,
    async profile(times) {
      const spent: number[] = [];
      for (const { pipeline: compiled, bindGroup, groups } of passes) {
        const encoder = device.createCommandEncoder();
        for (let i = 0; i < times; i++) {
          const pass = encoder.beginComputePass();
          pass.setPipeline(compiled);
          pass.setBindGroup(0, bindGroup);
          pass.dispatchWorkgroups(...groups);
          pass.end();
        }
        const commands = encoder.finish();
        await device.queue.onSubmittedWorkDone();
        const before = performance.now();
        device.queue.submit([commands]);
        await device.queue.onSubmittedWorkDone();
        spent.push((performance.now() - before) / times);
      }
      return spent;
    },
  };
}
