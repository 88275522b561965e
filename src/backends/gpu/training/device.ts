import { deviceFunctions } from '../functions.ts';
import { openDevice, type GpuMode } from '../open-device.ts';
import { DevicePipeline } from './pipeline.ts';
import type { Plan } from './plan.ts';

export interface TrainingDevice {
  readonly mode: GpuMode;
  /** The adapter, as its driver describes it. */
  readonly adapter: string;
  compile(plan: Plan): DevicePipeline;
  close(): Promise<void>;
}

/** @throws BackendError that says what is missing and what to do about it. */
export async function openTrainingDevice(mode: GpuMode): Promise<TrainingDevice> {
  const { gpuJs, toInput, adapter, close } = await openDevice(mode);
  for (const source of deviceFunctions) gpuJs.addFunction(source);
  return {
    mode,
    adapter,
    compile: (plan) => new DevicePipeline(gpuJs, mode, toInput, plan),
    close,
  };
}
