import { openRecordings } from './recordings/open-recordings.ts';
import { clips } from './clips.ts';
import type { Augmentation } from './augment.ts';
import type { DataSource } from './described.ts';
import { labelsOf } from './labels.ts';
import type { OrderOptions } from './order.ts';

export interface DigitsOptions extends OrderOptions {
  /** The folder `recordings` of the Free Spoken Digit Dataset. */
  readonly folder: string;
  /** The official split: `test` has the recordings 0 to 4 of each digit and speaker, `train` those from 5 on. */
  readonly part: 'train' | 'test';
  /** Hz; 8000 as recorded by default. 4000 is band-limited by the resampler of `statewave/audio`. */
  readonly sampleRate?: number | undefined;
  readonly augmentation?: Augmentation | undefined;
  readonly buckets?: number | readonly number[] | undefined;
  readonly cache?: string | undefined;
}

/**
 * Spoken digits: the Free Spoken Digit Dataset (Jakobovski, github.com/Jakobovski/free-spoken-digit-dataset, CC BY-SA
 * 4.0), whole recordings with the digit as `labels`.
 *
 * @throws ArgumentError where the folder has no such recordings.
 * @example const source = await digits({ folder: 'fsdd/recordings', part: 'train', batch: 32 });
 */
export async function digits(options: DigitsOptions): Promise<DataSource> {
  const { folder, part, sampleRate = 8000, cache } = options;
  const recordings = await openRecordings({
    files: folder,
    include: part === 'test' ? /_[0-4]\.wav$/ : /_([5-9]|\d\d+)\.wav$/,
    sampleRate,
    cache,
  });
  const classes = Array.from({ length: 10 }, (_, digit) => String(digit));
  const { labels } = labelsOf(recordings.list, /^(\d)_/, classes);
  const source = clips(recordings, { ...options, labels });
  return { ...source, facts: { ...source.facts, classes, part } };
}
