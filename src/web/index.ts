/**
 * Streams inside an AudioWorklet: what runs a model quantum by quantum, and what shows it to a page. Nothing here needs
 * the DOM or Node.
 */
export { coarseClock, exactClock, type Clock } from './clock.ts';
export { controlled, resampled, type LiveContext, type LiveModel } from './live-model.ts';
export { LiveProcessor } from './live-processor.ts';
export { mixer } from './mixer.ts';
export * as scope from './scope.ts';
export type { StateSection } from './scope.ts';
export { smooth, type SmoothOptions } from './smooth.ts';
export { StateProbe } from './state-probe.ts';
export { MessageTap, SharedTap, type Batch, type Port, type SharedMemory, type Tap } from './tap.ts';
export { messageReader, sharedReader, type ReadablePort, type TapReader } from './tap-reader.ts';
export { WorkMeter } from './work-meter.ts';
export { withoutKernels, type BundlerPlugin } from './without-kernels.ts';
