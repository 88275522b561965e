export { RingBuffer, ringMemory, type RingCounts, type RingMemory, type RingOptions } from './ring-buffer.ts';
export { atRate, bridge, ResampledStream, type AtRateOptions, type Bridge } from './bridge.ts';
export { LevelMeter } from './level-meter.ts';
export { voices, type EndingStream } from './voices.ts';
