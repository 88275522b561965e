import type { Writable } from 'node:stream';
import { createWriteStream, realpathSync, statSync } from 'node:fs';
import { ArgumentError, StreamError } from '../../errors.ts';
import { encoderOf, SAMPLE_BYTES, type WavEncoding, type WavWriterStats } from './encode.ts';
import { FileSink } from './file-sink.ts';
import { PipeSink } from './pipe-sink.ts';
import type { Sink } from './sink.ts';
import { wavHeader } from './write-header.ts';

/** How a WAV file is to be written. */
export interface WavWriterOptions {
  /** Hz. */
  readonly sampleRate: number;
  readonly channels: number;
  /** Default: `'pcm16'`. */
  readonly encoding?: WavEncoding;
  /** Triangular noise of ±1 step before rounding to PCM. Default: false, so that PCM round trips are exact. */
  readonly dither?: boolean;
  /** Beyond how many bytes a file becomes an RF64. @internal */
  readonly rf64Above?: number;
}

/** A WAV file that is being written. */
export interface WavWriter {
  /** Frames written, the peak, and what had to be clipped. */
  readonly stats: Readonly<WavWriterStats>;
  /**
   * Writes a block, frames × channels, time-major, full scale ±1. The block is free again when the call
   * returns; the promise resolves when there is room for more: await it, and memory stays constant.
   */
  write(block: Float32Array | Float64Array): Promise<void>;
  /** Completes the header and gives the file its name. Of a pipe: ends it (`process.stdout` stays open). */
  close(): Promise<void>;
  /** Leaves nothing behind: the unfinished file is deleted, and what had the name before is still there. */
  abort(): Promise<void>;
  /**
   * `close`, at once and without waiting, for a signal handler or `process.on('exit')`: all blocks given to
   * `write` so far become a valid file. A pipe needs none of it.
   */
  finalizeNow(): void;
}

/**
 * Writes a WAV file in constant memory. A file grows under a temporary name beside its target and is renamed
 * when it is complete; beyond 4 GiB it becomes an RF64. A stream (or a target that is a pipe or a device)
 * gets a header of unknown length, and its back-pressure is honoured.
 *
 * @throws ArgumentError for options that no WAV file can have and targets that cannot be written.
 * @example
 * const writer = createWavWriter('out.wav', { sampleRate: 16_000, channels: 1 });
 * for await (const block of wav.blocks(1024)) await writer.write(block);
 * await writer.close();
 */
export function createWavWriter(target: string | URL | Writable, options: WavWriterOptions): WavWriter {
  const { sampleRate, channels, encoding = 'pcm16', dither = false, rf64Above } = options;
  const width = SAMPLE_BYTES[encoding];
  if (width === undefined) {
    throw new ArgumentError(
      `encoding: '${String(encoding)}' cannot be written; choose one of ${Object.keys(SAMPLE_BYTES).join(', ')}.`,
    );
  }
  whole('sampleRate', sampleRate, 0xffff_ffff);
  whole('channels', channels, Math.floor(0xffff / width));
  const layout = { sampleRate, channels, encoding };
  const encode = encoderOf(encoding, dither);
  const stats: WavWriterStats = { frames: 0, peak: 0, clipped: 0, notANumber: 0 };
  const sink = openSink(target, layout);
  const dataBytes = (): number => stats.frames * width * channels;
  const header = (): Uint8Array => wavHeader(layout, dataBytes(), rf64Above);
  const padding = (): boolean => dataBytes() % 2 === 1;
  let ended: 'closed' | 'aborted' | undefined;
  let closing: Promise<void> | undefined;

  return {
    stats,
    async write(block) {
      if (ended !== undefined) {
        throw new StreamError(`write after the WAV writer was ${ended}; create another one.`);
      }
      if (block.length % channels !== 0) {
        throw new ArgumentError(
          `A block of ${block.length} samples is not a whole number of frames of ${channels} channels.`,
        );
      }
      const bytes = encode(block, stats);
      stats.frames += block.length / channels;
      await sink.write(bytes);
    },
    close() {
      if (ended === 'aborted')
        return Promise.reject(new StreamError('close after the WAV writer was aborted.'));
      ended = 'closed';
      closing ??= sink.close(header, padding());
      return closing;
    },
    abort() {
      if (ended === 'closed') return closing ?? Promise.resolve();
      ended = 'aborted';
      closing ??= sink.abort();
      return closing;
    },
    finalizeNow() {
      if (ended === 'aborted') return;
      ended = 'closed';
      sink.closeNow(header, padding());
      closing ??= Promise.resolve();
    },
  };
}

function openSink(target: string | URL | Writable, layout: Parameters<typeof wavHeader>[0]): Sink {
  if (typeof target !== 'string' && !(target instanceof URL)) {
    if (typeof (target as Partial<Writable> | null)?.write !== 'function') {
      throw new ArgumentError(`A WAV cannot be written to ${String(target)}; give a path or a Writable.`);
    }
    return new PipeSink(target, wavHeader(layout, undefined));
  }
  const stat = statSync(target, { throwIfNoEntry: false });
  if (stat?.isDirectory() === true) {
    throw new ArgumentError(`Cannot write ${String(target)}: it is a folder. Give the path of a file.`);
  }
  // Renaming would replace a device or a named pipe by a file.
  if (stat !== undefined && !stat.isFile()) {
    return new PipeSink(createWriteStream(target), wavHeader(layout, undefined));
  }
  return new FileSink(stat === undefined ? target : realpathSync(target), wavHeader(layout, 0));
}

function whole(name: string, value: number, most: number): void {
  if (!Number.isSafeInteger(value) || value < 1 || value > most) {
    throw new ArgumentError(
      `${name}: ${value} cannot be written to a WAV file; give a whole number from 1 to ${most}.`,
    );
  }
}
