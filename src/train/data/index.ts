/**
 * Data to train on: sources of batches that are functions of (seed, epoch, number). Needs Node; whoever only streams
 * loads none of it.
 */
export type { BatchSource } from './source.ts';
export type { DataSource, SourceDescription, SourceFacts } from './described.ts';
export { openSource, type Description } from './kinds.ts';
export { prefetch, type PrefetchOptions } from './prefetch/prefetch.ts';
export { arrays, type ArraysOptions, type SequenceItem } from './arrays.ts';
export { clips, type ClipsOptions } from './clips.ts';
export { carried, type CarriedOptions } from './carried.ts';
export { series, type SeriesOptions, type SeriesSource } from './series.ts';
export { denoise, type DenoiseOptions, type Place } from './denoise.ts';
export { digits, type DigitsOptions } from './fsdd.ts';
export { mnist, type MnistOptions } from './mnist.ts';
export { teach, type TeachOptions } from './teacher/teach.ts';
export { TEACHER_PORTS } from './teacher/ports.ts';
export { guitarSignal } from './teacher/signals.ts';
export { itemSource, type Item, type ItemsOptions } from './item-source.ts';
export type { OrderOptions } from './order.ts';
export type { Ports, TargetPort } from './ports.ts';
export type { Augmentation } from './augment.ts';
export { bucketsOf } from './buckets.ts';
export { drawsAt } from './draws.ts';
export { audioFiles, type FileOptions } from './files.ts';
export { labelsOf } from './labels.ts';
export {
  denormalise,
  learnNormalisation,
  normalise,
  type Normalisation,
  type NormalisationRule,
} from './normalise.ts';
export { memoryRecordings, type Recording, type Recordings } from './recordings/recordings.ts';
export { openRecordings, type RecordingsOptions } from './recordings/open-recordings.ts';
export { openCache } from './recordings/cache-file.ts';
export { sideBySide } from './recordings/side-by-side.ts';
export { mixerSettings, MIXER_DEFAULTS, type MixerSettings, type PartialSettings } from './mixer/settings.ts';
