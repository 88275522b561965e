import { ArgumentError } from '../../errors.ts';

/**
 * For every length the bucket that it is padded to: few different lengths make few different shapes, which a device
 * compiles once each.
 *
 * @param lengths frames of every sequence, at least 1.
 * @param buckets the buckets' lengths; or how many: they hold as many sequences each, as far as that goes, and end at
 *   multiples of `multiple` frames. 1 pads all to the longest, Infinity none.
 * @throws ArgumentError where a sequence is longer than every bucket.
 * @example bucketsOf([5, 9, 30], [10, 32]) // 10, 10, 32
 */
export function bucketsOf(
  lengths: readonly number[],
  buckets: number | readonly number[] = 4,
  multiple = 1,
): Float64Array {
  const up = (frames: number): number => Math.ceil(frames / multiple) * multiple;
  if (buckets === Infinity) return Float64Array.from(lengths, up);
  let edges: number[];
  if (typeof buckets === 'number') {
    if (!Number.isSafeInteger(buckets) || buckets < 1) {
      throw new ArgumentError(`buckets: ${buckets}; give how many, at least 1, or their lengths`);
    }
    const sorted = Float64Array.from(lengths).sort();
    edges = Array.from({ length: buckets }, (_, b) => {
      const upTo = Math.ceil(((b + 1) * sorted.length) / buckets);
      return up(sorted[Math.max(0, upTo - 1)]!);
    });
  } else {
    edges = [...buckets].sort((a, b) => a - b);
  }
  return Float64Array.from(lengths, (frames, i) => {
    const bucket = edges.find((edge) => edge >= frames);
    if (bucket === undefined) {
      throw new ArgumentError(
        `buckets: sequence ${i} has ${frames} frames, the longest bucket ${edges.at(-1) ?? 0}; add a longer one, or cut the sequence`,
      );
    }
    return bucket;
  });
}
