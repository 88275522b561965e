/**
 * Triangular noise in (−1, 1), in steps of the quantiser: the sum of two uniform variables, which makes the
 * mean and the power of the rounding error independent of the signal (Lipshitz, Wannamaker, Vanderkooy,
 * "Quantization and dither: a theoretical survey", J. AES 40 (1992), section 5).
 *
 * The generator is Marsaglia's xorshift32 with a fixed seed ("Xorshift RNGs", 2003): files stay repeatable.
 */
export function tpdf(seed = 0x9e37_79b9): () => number {
  let state = seed;
  const uniform = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
  return () => uniform() - uniform();
}
