import { createHash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { ArgumentError, BackendError, StatewaveError } from '../../../errors.ts';
import { audioFiles, type FileOptions } from '../files.ts';
import { openCache, writeCache, type CacheFormat } from './cache-file.ts';
import { decodeRecording, type DecodeOptions } from './decode-recording.ts';
import { memoryWriter } from './memory-writer.ts';
import type { Recordings } from './recordings.ts';
import { CODINGS, type SampleType } from './sample-type.ts';

/** The version of what stands in a cache: a change of decoding or resampling counts it up. */
const VERSION = 1;

export interface RecordingsOptions extends FileOptions, DecodeOptions {
  /** Folders, files, patterns: see `audioFiles`. */
  readonly files: string | readonly string[];
  /**
   * Path of a file to keep the decoded recordings in. It is made on first use, and again when a file, or one of these
   * options, has changed. Without it they are decoded into memory.
   */
  readonly cache?: string | undefined;
  /** `int16` by default. */
  readonly sampleType?: SampleType | undefined;
  /** Damaged files: `throw` (default), or `skip` them and say so in `skipped`. */
  readonly damaged?: 'throw' | 'skip' | undefined;
}

/**
 * Decodes recordings once, for any number of epochs: into memory, or into a cache on disk, of which a crop is one read.
 *
 * @throws ArgumentError where there are no files, or all are damaged; FormatError for a damaged file.
 * @example
 * const speech = await openRecordings({ files: 'speech', sampleRate: 16_000, cache: 'cache/speech.pcm' });
 * const second = speech.read(0, 16_000, 16_000);
 */
export async function openRecordings(options: RecordingsOptions): Promise<Recordings> {
  const { sampleRate, channels = 1, cache, sampleType = 'int16' } = options;
  if (!Object.hasOwn(CODINGS, sampleType)) {
    throw new ArgumentError(
      `sampleType: '${sampleType}' is none of ${Object.keys(CODINGS).join(', ')}; int16 suits recordings`,
    );
  }
  const paths = audioFiles(options.files, options);
  const format: CacheFormat = { key: keyOf(paths, options), sampleType, sampleRate, channels };
  if (cache === undefined) {
    const writer = memoryWriter(format);
    await decodeAll(paths, options, writer);
    return writer.recordings();
  }
  if (existsSync(cache)) {
    const opened = openCache(cache);
    if (opened.key === format.key) return opened;
    opened.close();
  }
  const writer = writeCache(cache, format);
  try {
    await decodeAll(paths, options, writer);
    writer.finish();
  } catch (error) {
    writer.abort();
    throw error;
  }
  return openCache(cache);
}

async function decodeAll(
  paths: readonly string[],
  options: RecordingsOptions,
  writer: ReturnType<typeof writeCache>,
): Promise<void> {
  let kept = 0;
  let why = '';
  for (const path of paths) {
    writer.begin(path);
    try {
      let frames = 0;
      for await (const block of decodeRecording(path, options)) {
        writer.write(block);
        frames += block.length;
      }
      if (frames === 0) throw new ArgumentError(`${path}: holds no frames; remove it`);
      kept++;
    } catch (error) {
      // A missing decoder is not the file's fault.
      if (options.damaged !== 'skip' || !(error instanceof StatewaveError) || error instanceof BackendError) {
        throw error;
      }
      writer.undo();
      writer.skip((why = error.message));
    }
  }
  if (kept === 0) {
    throw new ArgumentError(`none of ${paths.length} recordings can be read; the last: ${why}`);
  }
}

/** Two runs with one key have the same samples. */
function keyOf(paths: readonly string[], options: RecordingsOptions): string {
  const { sampleRate, channels = 1, downmix = 'mean', otherRates, sampleType = 'int16', damaged } = options;
  const files = paths.map((path) => {
    const { size, mtimeMs } = statSync(path, { throwIfNoEntry: false }) ?? { size: -1, mtimeMs: -1 };
    return [path, size, mtimeMs];
  });
  const text = JSON.stringify([
    VERSION,
    sampleRate,
    channels,
    downmix,
    otherRates,
    sampleType,
    damaged,
    files,
  ]);
  return createHash('sha256').update(text).digest('hex');
}
