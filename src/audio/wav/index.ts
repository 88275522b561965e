export { decodeWav, readWav, type SampleFormat, type WavReader } from './read.ts';
export type { WavSource } from './source.ts';
export type { WavChunk, WavCoding, WavFormat, WavInfo } from './types.ts';
export type { WavEncoding, WavWriterStats } from './encode.ts';
export { createWavWriter, type WavWriter, type WavWriterOptions } from './write.ts';
