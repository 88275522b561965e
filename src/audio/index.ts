export * from './wav/index.ts';
export * from './level.ts';
export type { AudioInfo, AudioReader } from './audio-reader.ts';
export { openAudio, readAudio } from './open-audio.ts';
export { createResampler, type Resampler, type ResamplerOptions, type ResampleQuality } from './resample.ts';
export {
  createSpectrogram,
  type Spectrogram,
  type SpectrogramBuilder,
  type SpectrogramOptions,
} from './spectrogram.ts';
export { renderSpectrograms, type PictureOptions, type SpectrogramPanel } from './picture.ts';
