export { gpu, type GpuBackend, type GpuOptions } from './gpu.ts';
export type { GpuMode } from './open-device.ts';
