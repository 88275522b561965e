/*
 * predictor   the last sample, 16 bits signed              one a channel
 * index       which step size is next, 0 … 88              one a channel
 * code        4 bits: sign, then three bits of magnitude   low half of a byte first
 *
 * IMA Digital Audio Focus and Technical Working Groups, "Recommended Practices for Enhancing Digital Audio
 * Compatibility in Multimedia Systems" 3.0 (1992); blocks as in Microsoft's RIFF (tag 0x0011): a header of
 * 4 bytes a channel (predictor, index, 0), which is also the first sample, then words of 4 bytes, 8 codes
 * each, for every channel in turn.
 */

const INDEX_STEP = [-1, -1, -1, -1, 2, 4, 6, 8];
const LAST_INDEX = 88;

/** The table of the standard: each step is about a tenth more than the one before. */
// prettier-ignore
const STEPS = Int16Array.of(
  7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 19, 21, 23, 25, 28, 31, 34, 37, 41, 45, 50, 55, 60, 66, 73, 80, 88,
  97, 107, 118, 130, 143, 157, 173, 190, 209, 230, 253, 279, 307, 337, 371, 408, 449, 494, 544, 598, 658,
  724, 796, 876, 963, 1060, 1166, 1282, 1411, 1552, 1707, 1878, 2066, 2272, 2499, 2749, 3024, 3327, 3660,
  4026, 4428, 4871, 5358, 5894, 6484, 7132, 7845, 8630, 9493, 10_442, 11_487, 12_635, 13_899, 15_289,
  16_818, 18_500, 20_350, 22_385, 24_623, 27_086, 29_794, 32_767,
);

/** Frames that `bytes` bytes of a block hold: whole words of all channels only. */
export function imaFrames(bytes: number, channels: number): number {
  return bytes < 4 * channels ? 0 : (Math.floor(bytes / (4 * channels)) - 1) * 8 + 1;
}

/** Decodes one block, or the beginning of one, to `imaFrames(block.length, channels)` frames from `out[at]` on. */
export function decodeImaBlock(
  block: Uint8Array,
  channels: number,
  out: Float32Array | Float64Array,
  at: number,
): void {
  const words = Math.floor(block.length / (4 * channels)) - 1;
  if (words < 0) return;
  for (let c = 0; c < channels; c++) {
    let predictor = ((block[4 * c]! | (block[4 * c + 1]! << 8)) << 16) >> 16;
    // A header that lies about its index is held to the table.
    let index = Math.min(block[4 * c + 2]!, LAST_INDEX);
    let to = at + c;
    out[to] = predictor / 32_768;
    for (let word = 1; word <= words; word++) {
      const from = 4 * (word * channels + c);
      for (let n = 0; n < 8; n++) {
        const code = (block[from + (n >> 1)]! >> (4 * (n & 1))) & 15;
        const step = STEPS[index]!;
        // The shifts, not a product: the standard's decoder drops the same fractions as its encoder.
        let change = step >> 3;
        if ((code & 4) !== 0) change += step;
        if ((code & 2) !== 0) change += step >> 1;
        if ((code & 1) !== 0) change += step >> 2;
        predictor += (code & 8) === 0 ? change : -change;
        predictor = Math.max(-32_768, Math.min(32_767, predictor));
        index = Math.max(0, Math.min(LAST_INDEX, index + INDEX_STEP[code & 7]!));
        to += channels;
        out[to] = predictor / 32_768;
      }
    }
  }
}
