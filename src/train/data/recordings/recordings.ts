/** Sequences to learn from, read piece by piece. */
export interface Recording {
  /** The file's path, or a name. */
  readonly path: string;
  readonly frames: number;
}

/**
 * Many recordings of one rate and one number of channels, any part of which can be had at once. What is at hand is
 * told by the index; where the samples are (a file, memory) is the implementation's business.
 */
export interface Recordings {
  /** Hz */
  readonly sampleRate: number;
  readonly channels: number;
  readonly list: readonly Recording[];
  /** Files that were left out, and why. */
  readonly skipped: readonly string[];
  /**
   * `frames` frames from `start` on, in memory of their own: frames × channels, time-major. What would be before the
   * recording or behind it is 0.
   */
  read(index: number, start: number, frames: number): Float32Array;
  close(): void;
}

/**
 * Recordings of arrays in memory.
 *
 * @param sequences each frames × channels, time-major.
 * @example memoryRecordings([Float32Array.of(0, 1, 0)], { sampleRate: 16_000 })
 */
export function memoryRecordings(
  sequences: readonly Float32Array[],
  {
    sampleRate,
    channels = 1,
    names,
  }: { readonly sampleRate: number; readonly channels?: number; readonly names?: readonly string[] },
): Recordings {
  return {
    sampleRate,
    channels,
    list: sequences.map((samples, i) => ({
      path: names?.[i] ?? `sequence ${i}`,
      frames: samples.length / channels,
    })),
    skipped: [],
    read: (index, start, frames) =>
      padded(start, frames, sequences[index]!.length / channels, channels, (out, at, from, count) =>
        out.set(sequences[index]!.subarray(from * channels, (from + count) * channels), at * channels),
      ),
    close() {},
  };
}

/**
 * Room for a part of a recording, filled where the recording is.
 *
 * @param fill copies `count` frames of the recording, from frame `from` on, to frame `at` of `out`.
 */
export function padded(
  start: number,
  frames: number,
  length: number,
  channels: number,
  fill: (out: Float32Array, at: number, from: number, count: number) => void,
): Float32Array {
  const out = new Float32Array(frames * channels);
  const from = Math.max(0, start);
  const to = Math.min(length, start + frames);
  if (to > from) fill(out, from - start, from, to - from);
  return out;
}
