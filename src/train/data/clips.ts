import { ArgumentError } from '../../errors.ts';
import { augment, mostFrames, type Augmentation } from './augment.ts';
import { bucketsOf } from './buckets.ts';
import type { DataSource } from './described.ts';
import { itemSource, type Item } from './item-source.ts';
import type { OrderOptions } from './order.ts';
import { checkPorts, inputOnly, intoPorts, reachOf, widthsOf, type Ports } from './ports.ts';
import type { Recordings } from './recordings/recordings.ts';

export interface ClipsOptions extends OrderOptions {
  /** By default all channels at the port `input`. */
  readonly ports?: Ports | undefined;
  /** For every recording the number of its class, which becomes the target `labels`. */
  readonly labels?: readonly number[] | undefined;
  /** Frames of a clip; by default recordings are taken whole. */
  readonly frames?: number | undefined;
  /**
   * Where clips of `frames` frames begin: anywhere (`random`, the default), anew in every epoch; or every so many
   * frames from the recording's start (a number), all of them in every epoch.
   */
  readonly starts?: 'random' | number | undefined;
  /**
   * Random clips of an epoch: `length` (default) takes as many of a recording as fit into it; `recording` one of each,
   * however long it is.
   */
  readonly by?: 'length' | 'recording' | undefined;
  /** Lengths that whole recordings are padded to, or how many (4): see `bucketsOf`. */
  readonly buckets?: number | readonly number[] | undefined;
  /** Random changes; of recordings without targets of every frame. */
  readonly augmentation?: Augmentation | undefined;
}

/**
 * Clips of recordings: whole ones, random crops, or windows on a grid; with channels as targets, or classes.
 *
 * @throws ArgumentError for options that do not fit the recordings.
 * @example
 * const source = clips(await openRecordings({ files: 'songs', sampleRate: 16_000 }), { frames: 16_000, batch: 8 });
 */
export function clips(recordings: Recordings, options: ClipsOptions): DataSource {
  const { ports = inputOnly(recordings.channels), labels, frames, augmentation } = options;
  const { channels, list } = recordings;
  checkPorts(ports, channels);
  if (augmentation !== undefined && Object.keys(ports.targets).length > 0) {
    throw new ArgumentError('augmentation: the targets of every frame would not follow; leave it out');
  }
  if (frames !== undefined && (!Number.isSafeInteger(frames) || frames < 1)) {
    throw new ArgumentError(`frames: ${frames}; give a whole number of at least 1`);
  }
  if (labels !== undefined && labels.length !== list.length) {
    throw new ArgumentError(`labels: ${labels.length} for ${list.length} recordings; give one each`);
  }
  const reach = reachOf(ports);
  const parts = partsOf(recordings, options, reach);
  const longest = parts.map((part) =>
    augmentation === undefined ? part.frames : mostFrames(part.frames, augmentation),
  );
  const widths = widthsOf(ports);
  return itemSource({
    ...options,
    inputs: widths.inputs,
    targets:
      labels === undefined ? widths.targets : { ...widths.targets, labels: { width: 1, perItem: true } },
    buckets: bucketsOf(longest, frames === undefined ? options.buckets : 1),
    facts: { sampleRate: recordings.sampleRate, skipped: recordings.skipped, recordings: list.length },
    load(number, draws) {
      const part = parts[number]!;
      const room = list[part.recording]!.frames - reach - part.frames;
      const start = part.start ?? (room > 0 ? draws.integer(room + 1) : 0);
      let samples = recordings.read(part.recording, start, part.frames + reach);
      if (augmentation !== undefined) samples = augment(samples, channels, augmentation, draws);
      const count = augmentation === undefined ? part.frames : samples.length / channels;
      const item: Item = intoPorts(samples, count, channels, ports);
      if (labels === undefined) return item;
      return { ...item, targets: { ...item.targets, labels: Float32Array.of(labels[part.recording]!) } };
    },
    close: () => recordings.close(),
  });
}

interface Part {
  readonly recording: number;
  readonly frames: number;
  /** Absent: anywhere. */
  readonly start?: number;
}

/** What an epoch consists of. */
function partsOf(
  { list }: Recordings,
  { frames, starts = 'random', by = 'length' }: ClipsOptions,
  reach: number,
): Part[] {
  const parts: Part[] = [];
  for (const [recording, { path, frames: length }] of list.entries()) {
    const usable = length - reach;
    if (usable < 1) {
      throw new ArgumentError(
        `${path} has ${length} frames, too few for a target ${reach} frames ahead; leave it out`,
      );
    }
    if (frames === undefined) {
      parts.push({ recording, frames: usable, start: 0 });
    } else if (starts === 'random') {
      const count = by === 'recording' ? 1 : Math.max(1, Math.floor(usable / frames));
      for (let i = 0; i < count; i++) parts.push({ recording, frames: Math.min(frames, usable) });
    } else {
      if (!Number.isSafeInteger(starts) || starts < 1) {
        throw new ArgumentError(`starts: ${starts}; give 'random', or every how many frames a clip begins`);
      }
      // At least one of every recording, a short one as it is.
      for (let start = 0; start === 0 || start + frames <= usable; start += starts) {
        parts.push({ recording, frames: Math.min(frames, usable), start });
      }
    }
  }
  return parts;
}
