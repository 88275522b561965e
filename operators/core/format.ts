import { map, type MonoTypeOperatorFunction } from 'rxjs';
import { ArgumentError, StreamError } from '../../src/errors.ts';
import type { FloatArray } from '../../src/signal/index.ts';

/** What the samples of a block are. */
export interface BlockFormat {
  /** Frames a second, Hz. */
  readonly sampleRate: number;
  readonly channels: number;
}

/** A constructor that returns the object it is given: a class derived from it puts its private fields there. */
// eslint-disable-next-line typescript/no-extraneous-class -- it is there to be derived from
class Given {
  constructor(object: object) {
    return object;
  }
}

/**
 * A private field of the very array: a block that somebody made from another carries nothing, so a format can go
 * missing (and whoever needs it says so) but never be that of other samples. What a WeakMap would do, at a tenth of
 * its cost a block.
 */
class Formatted extends Given {
  #format: BlockFormat;

  private constructor(block: FloatArray, format: BlockFormat) {
    super(block);
    this.#format = format;
  }

  static of(block: FloatArray): BlockFormat | undefined {
    return #format in block ? block.#format : undefined;
  }

  static mark(block: FloatArray, format: BlockFormat): void {
    // Asking first whether the field is there takes three times as long as making it, and it hardly ever is.
    try {
      // eslint-disable-next-line no-new -- the block itself is what it makes
      new Formatted(block, format);
    } catch {
      (block as unknown as Formatted).#format = format;
    }
  }
}

/** The format that a block carries: blocks of `fromWav` do, and what the operators here make of them. */
export const formatOf = (block: FloatArray): BlockFormat | undefined => Formatted.of(block);

export const sameFormat = (a: BlockFormat, b: BlockFormat): boolean =>
  a.sampleRate === b.sampleRate && a.channels === b.channels;

export const describeFormat = ({ sampleRate, channels }: BlockFormat): string =>
  `${channels} ${channels === 1 ? 'channel' : 'channels'} at ${sampleRate} Hz`;

// What blocks have been marked with so far: nearly always one format, and that again and again.
let latest: BlockFormat | undefined;
let first: BlockFormat | undefined;
let areSeveral = false;

/** Marks a block that nobody else has seen yet, and returns it. */
export function mark<B extends FloatArray>(block: B, format: BlockFormat | undefined): B {
  if (format === undefined) return block;
  if (format !== latest) {
    latest = format;
    first ??= { ...format };
    areSeveral ||= !sameFormat(first, format);
  }
  Formatted.mark(block, format);
  return block;
}

/**
 * Whether there is a block that carries another format than this one, or any where this is undefined. Where there is
 * none a block need not be asked, which takes longer than all else that an operator does with it.
 */
export const isAnyOther = (format: BlockFormat | undefined): boolean =>
  areSeveral || (first !== undefined && (format === undefined || !sameFormat(first, format)));

/**
 * Says what the blocks of a source are, so that operators behind it need not be told. Emits views of the
 * same samples.
 *
 * @throws ArgumentError for a rate or a number of channels that cannot be; StreamError, as the error of the
 *   stream, for a block that carries another format or is not a whole number of frames.
 * @example
 * microphone.pipe(withFormat({ sampleRate: 48_000, channels: 1 }), ssm(model, parameters), toWav('out.wav'));
 */
export function withFormat<B extends FloatArray>(format: BlockFormat): MonoTypeOperatorFunction<B> {
  const { sampleRate, channels } = format;
  if (!(Number.isFinite(sampleRate) && sampleRate > 0)) {
    throw new ArgumentError(`withFormat: sampleRate is ${sampleRate}; give a positive number of hertz`);
  }
  wholeNumber('withFormat', 'channels', channels);
  const own = { sampleRate, channels };
  return map((block) => {
    const known = formatOf(block);
    if (known !== undefined && !sameFormat(known, own)) {
      throw new StreamError(
        `withFormat(${describeFormat(own)}): this block is ${describeFormat(known)} already; ` +
          'resample or remix it into a new block',
      );
    }
    checkFrames('withFormat', block, channels);
    // A view of its own: the caller's array stays as it is.
    return known ? block : mark(block.subarray() as B, own);
  });
}

/** Refuses what is no whole number of at least 1. */
export function wholeNumber(where: string, name: string, value: number): void {
  if (!(Number.isSafeInteger(value) && value >= 1)) {
    throw new ArgumentError(`${where}: ${name} is ${value}; give a whole number of at least 1`);
  }
}

/** Frames in a block of `channels` channels. */
export function checkFrames(where: string, block: FloatArray, channels: number): number {
  const frames = block.length / channels;
  if (!Number.isInteger(frames)) {
    throw new StreamError(
      `${where}: a block of ${block.length} values is no whole number of frames of ${channels} channels; ` +
        'give frames × channels, time-major',
    );
  }
  return frames;
}

/** The channels of a block: as said, as it carries, or one. Both must agree. */
export function channelsOf(where: string, block: FloatArray, said: number | undefined): number {
  const carried = formatOf(block)?.channels;
  if (said !== undefined && carried !== undefined && said !== carried) {
    throw new StreamError(
      `${where}: told of ${said} channels, but the block has ${carried}; leave the option out, or mix with mapChannels()`,
    );
  }
  const channels = said ?? carried ?? 1;
  checkFrames(where, block, channels);
  return channels;
}
