export { compressedSpectrum, type CompressedSpectrumOptions } from './compressed-spectrum.ts';
export {
  crossEntropy,
  type ClassifyAt,
  type ClassOptions,
  type CrossEntropyOptions,
} from './cross-entropy.ts';
export { ctc, type CtcOptions } from './ctc.ts';
export { esr, type EsrOptions } from './esr.ts';
export { l1 } from './l1.ts';
export { mse } from './mse.ts';
export { multiResolutionStft, type MultiResolutionStftOptions } from './multi-resolution-stft.ts';
export type { Resolution } from './short-time.ts';
export { siSdr } from './si-sdr.ts';
export type { Comparison } from './signal-loss.ts';
export { weighted, type WeightedLoss } from './weighted.ts';
