import { Observable, Subscriber, type OperatorFunction } from 'rxjs';
import type { WavWriter, WavWriterOptions } from '../../src/audio/index.ts';
import { StreamError } from '../../src/errors.ts';
import type { FloatArray } from '../../src/signal/index.ts';
import { describeFormat, formatOf, sameFormat, wholeNumber, type BlockFormat } from '../core/format.ts';
import { hold } from '../core/pace.ts';

export interface ToWavOptions extends Partial<Pick<WavWriterOptions, 'sampleRate' | 'channels'>> {
  /** `pcm16` by default. */
  readonly encoding?: WavWriterOptions['encoding'];
  readonly dither?: WavWriterOptions['dither'];
  /**
   * The most bytes of samples (as they came) that may wait to be written when the source can't be slowed down;
   * 64 MiB by default.
   */
  readonly maxPendingBytes?: number;
}

/** What `toWav` emits when the file is complete. */
export interface WavWritten extends BlockFormat {
  readonly frames: number;
  /** Largest magnitude, full scale being 1. */
  readonly peak: number;
  /** Samples beyond ±1 that PCM could not hold. */
  readonly clipped: number;
}

type Target = string | URL;

/**
 * Writes blocks (frames × channels) to a WAV file, emits once what was written and completes, both after the
 * file is closed and has its name.
 *
 *     source   -a-b-c|
 *     result   ---------(w|)
 *
 * Rate and channels are those that the blocks carry, or as said; a block of another format is refused. On an
 * error of the source, on a failed write and on unsubscribing nothing is left behind, and a file that was there
 * before is still there; an error is passed on after that.
 *
 * Sources that can wait (`hold`) do. Where others bring more than the disk takes, up to `maxPendingBytes` wait,
 * and beyond that the stream ends with a StreamError: memory stays bounded either way.
 *
 * @example
 * const { frames } = await lastValueFrom(fromWav('in.wav').pipe(ssm(model, parameters), toWav('out.wav')));
 */
export function toWav(target: Target, options: ToWavOptions = {}): OperatorFunction<FloatArray, WavWritten> {
  const { maxPendingBytes = 64 * 2 ** 20 } = options;
  wholeNumber('toWav', 'maxPendingBytes', maxPendingBytes);
  return (source) =>
    new Observable((subscriber) =>
      source.subscribe(new WavSink(subscriber, target, options, maxPendingBytes)),
    );
}

/** Extends Subscriber for the reasons that `operate` gives. */
class WavSink extends Subscriber<FloatArray> {
  readonly #target: Target;
  readonly #options: ToWavOptions;
  readonly #maxPending: number;
  #format: BlockFormat | undefined;
  #opening: Promise<WavWriter> | undefined;
  #writer: WavWriter | undefined;
  #pending = 0;
  readonly #writing = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | undefined;

  constructor(subscriber: Subscriber<WavWritten>, target: Target, options: ToWavOptions, maxPending: number) {
    super(subscriber);
    this.#target = target;
    this.#options = options;
    this.#maxPending = maxPending;
    // Known from the start: a target that cannot be written shows before the first block.
    const { sampleRate, channels } = options;
    if (sampleRate !== undefined && channels !== undefined) this.#open({ sampleRate, channels });
    this.add(() => void this.#abort());
  }

  protected override _next(block: FloatArray): void {
    try {
      this.#accept(block);
    } catch (error) {
      this.error(error);
      return;
    }
    const bytes = block.byteLength;
    this.#pending += bytes;
    // The block may change once `next` has returned, so what has to wait for the file is copied.
    const written = this.#writer ? this.#writer.write(block) : this.#writeLater(block.slice());
    const settled: Promise<void> = written.then(
      () => {
        this.#pending -= bytes;
        this.#writing.delete(settled);
      },
      (error: unknown) => {
        // After the source has completed, `close` is the one that tells.
        this.#failure ??= { error };
        this.error(error);
      },
    );
    this.#writing.add(settled);
    if (!hold(settled) && this.#pending > this.#maxPending) {
      this.error(
        new StreamError(
          `${String(this.#target)}: ${this.#pending} bytes wait to be written, ${this.#maxPending} may; ` +
            'read from a source that can wait (fromWav, fromAsyncIterable, paced), or raise maxPendingBytes',
        ),
      );
    }
  }

  protected override _error(error: unknown): void {
    void this.#abort().finally(() => super._error(error));
  }

  protected override _complete(): void {
    this.#close().then(
      (written) => {
        this.destination.next(written);
        super._complete();
      },
      (error: unknown) => this._error(error),
    );
  }

  #accept(block: FloatArray): void {
    const { sampleRate, channels } = this.#options;
    const carried = formatOf(block);
    const format = this.#format ?? {
      sampleRate: sampleRate ?? carried?.sampleRate ?? Number.NaN,
      channels: channels ?? carried?.channels ?? Number.NaN,
    };
    if (Number.isNaN(format.sampleRate) || Number.isNaN(format.channels)) throw this.#unknownFormat();
    if (carried !== undefined && !sameFormat(carried, format)) {
      throw new StreamError(
        `${String(this.#target)} is written with ${describeFormat(format)}, but this block is ${describeFormat(carried)}; ` +
          'resample or remix it, or leave sampleRate and channels out of toWav',
      );
    }
    if (this.#opening === undefined) this.#open(format);
  }

  #unknownFormat(): StreamError {
    return new StreamError(
      `toWav(${String(this.#target)}): no block says its rate and channels; give { sampleRate, channels }, ` +
        'or put withFormat() in front',
    );
  }

  #open(format: BlockFormat): void {
    const { encoding, dither } = this.#options;
    this.#format = format;
    this.#opening = import('../../src/audio/wav/index.ts').then(({ createWavWriter }) => {
      this.#writer = createWavWriter(this.#target, {
        ...format,
        ...(encoding === undefined ? {} : { encoding }),
        ...(dither === undefined ? {} : { dither }),
      });
      return this.#writer;
    });
    this.#opening.catch((error: unknown) => this.error(error));
  }

  async #writeLater(block: FloatArray): Promise<void> {
    const writer = await this.#opening!;
    await writer.write(block);
  }

  async #close(): Promise<WavWritten> {
    if (this.#opening === undefined) throw this.#unknownFormat();
    const writer = await this.#opening;
    await Promise.all(this.#writing);
    if (this.#failure) throw this.#failure.error;
    await writer.close();
    const { frames, peak, clipped } = writer.stats;
    return { ...this.#format!, frames, peak, clipped };
  }

  /** Harmless after `close`, and twice. */
  async #abort(): Promise<void> {
    const writer = await this.#opening?.catch(() => undefined);
    await writer?.abort().catch(() => {});
  }
}
