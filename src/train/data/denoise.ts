import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { ArgumentError } from '../../errors.ts';
import type { DataSource } from './described.ts';
import { drawsAt, Purpose } from './draws.ts';
import { regularExpression, type FileOptions } from './files.ts';
import { packBatch, type Item } from './item-source.ts';
import type { NoiseColour } from './mixer/coloured-noise.ts';
import { measuredRooms } from './mixer/measured-rooms.ts';
import { mix, type MixerParts } from './mixer/mixer.ts';
import { noisesOf, type NoiseSet } from './mixer/noises.ts';
import { mixerSettings, type PartialSettings } from './mixer/settings.ts';
import { voicesOf } from './mixer/voices.ts';
import { checkOrder } from './order.ts';
import { openRecordings } from './recordings/open-recordings.ts';
import type { Recordings } from './recordings/recordings.ts';

/** Where recordings are, and what of them. */
export type Place =
  string | (FileOptions & { readonly files: string | readonly string[]; readonly weight?: number });

export interface DenoiseOptions extends PartialSettings {
  readonly speech: Place;
  /** Finds the speaker in a speech file's name, by its first group that matches; text is a regular expression. */
  readonly speaker: RegExp | string;
  /** Sets of recorded noise; each is drawn from by its weight, however long it is. */
  readonly noise?: readonly Place[] | undefined;
  /** Measured impulse responses: see `measuredRooms`. */
  readonly rooms?: string | readonly string[] | undefined;
  /** Hz; 16,000 by default. */
  readonly sampleRate?: number | undefined;
  /** Frames of a mixture. */
  readonly frames: number;
  /** Mixtures of a batch. */
  readonly batch: number;
  readonly batchesPerEpoch: number;
  readonly seed?: number | undefined;
  /** The same mixtures in every epoch, as validation wants them. */
  readonly fixed?: boolean | undefined;
  /** Folder for decoded recordings; in memory where absent. */
  readonly cache?: string | undefined;
  readonly damaged?: 'throw' | 'skip' | undefined;
  /** How likely recorded noise, babble and synthetic noise are; 6, 1, 2 by default. */
  readonly weights?:
    { readonly recorded: number; readonly babble: number; readonly synthetic: number } | undefined;
  readonly colours?: readonly NoiseColour[] | undefined;
  /** Voices of a babble, fewest and most; 3 to 8 by default. */
  readonly babble?: readonly [number, number] | undefined;
  /** Speeds of speech and noise, pitch included. */
  readonly speeds?: readonly number[] | undefined;
}

/**
 * Noisy speech (`input`) and what should be left of it (`output`), mixed anew in every epoch: speakers are drawn, each as
 * likely as the others, then an utterance, its speed and equalisation, a room, noise, their ratio and the level.
 *
 * @throws ArgumentError where recordings are missing or options do not fit, FormatError for damaged files.
 * @example
 * const source = await denoise({
 *   speech: 'speech', speaker: '^(\\d+)-', noise: ['noise'], frames: 48_000, batch: 16, batchesPerEpoch: 500,
 * });
 */
export async function denoise(options: DenoiseOptions): Promise<DataSource> {
  const { sampleRate = 16_000, frames, batch, batchesPerEpoch, seed = 0, fixed = false } = options;
  checkOrder({ batch, seed });
  for (const [name, value] of Object.entries({ frames, batchesPerEpoch })) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new ArgumentError(`${name}: ${value}; give a whole number of at least 1`);
    }
  }
  const settings = mixerSettings(chosen(options));
  const expression = regularExpression(options.speaker, 'speaker');
  if (expression === undefined) {
    throw new ArgumentError(
      'speaker: missing; give a regular expression that finds the speaker in a file name',
    );
  }
  const opened: Recordings[] = [];
  const open = async (name: string, place: Place): Promise<Recordings> => {
    const { weight: _, ...where } = typeof place === 'string' ? { files: place, weight: 1 } : place;
    const recordings = await openRecordings({
      ...where,
      sampleRate,
      damaged: options.damaged,
      cache: options.cache === undefined ? undefined : cachePath(options.cache, name, [where, sampleRate]),
    });
    opened.push(recordings);
    return recordings;
  };
  const close = async (): Promise<void> => opened.forEach((recordings) => recordings.close());
  try {
    const speech = await open('speech', options.speech);
    const recorded: NoiseSet[] = [];
    for (const place of options.noise ?? []) {
      recorded.push({
        recordings: await open('noise', place),
        weight: typeof place === 'string' ? 1 : place.weight,
      });
    }
    const speeds = options.speeds ?? [0.88, 0.92, 0.96, 1, 1, 1, 1.04, 1.08, 1.12];
    const voices = voicesOf(speech, { speaker: expression, speeds });
    const parts: MixerParts = {
      sampleRate,
      voices,
      noise: noisesOf({
        recorded,
        voices,
        sampleRate,
        weights: options.weights ?? { recorded: 6, babble: 1, synthetic: 2 },
        ...(options.colours === undefined ? {} : { colours: options.colours }),
        babble: options.babble ?? [3, 8],
        speeds,
      }),
      rooms:
        options.rooms === undefined ? [] : await measuredRooms(options.rooms, sampleRate, settings.early),
    };
    return {
      targets: ['output'],
      batchesPerEpoch,
      facts: {
        sampleRate,
        speakers: voices.speakers.length,
        speechHours: hours(speech),
        noiseHours: recorded.reduce((sum, { recordings }) => sum + hours(recordings), 0),
        rooms: parts.rooms.length,
        skipped: opened.flatMap(({ skipped }) => skipped),
        settings,
      },
      *batches(epoch, from) {
        for (let number = from; number < batchesPerEpoch; number++) {
          const items = Array.from({ length: batch }, (_, place): Item => {
            const draws = drawsAt(seed, Purpose.item, fixed ? 0 : epoch, number, place);
            const { noisy, clean } = mix(parts, settings, frames, draws);
            return { frames, inputs: { input: noisy }, targets: { output: clean } };
          });
          yield packBatch(items, frames, { inputs: { input: 1 }, targets: { output: { width: 1 } } });
        }
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The settings among the options, without those that are not given. */
function chosen({
  snr,
  level,
  equaliser,
  early,
  target,
  floor,
  bands,
  shares,
}: DenoiseOptions): PartialSettings {
  const given = { snr, level, equaliser, early, target, floor, bands, shares };
  return Object.fromEntries(
    Object.entries(given).filter(([, value]) => value !== undefined),
  ) as PartialSettings;
}

/** One file for each set of recordings: sources for training and validation may share the folder. */
export const cachePath = (folder: string, name: string, what: unknown): string =>
  join(folder, `${name}-${createHash('sha256').update(JSON.stringify(what)).digest('hex').slice(0, 12)}.pcm`);

const hours = ({ list, sampleRate }: Recordings): number =>
  list.reduce((sum, { frames }) => sum + frames, 0) / sampleRate / 3600;
