/** Coefficients of a 7-term Blackman-Harris window: side lobes below −180 dB (H.-H. Albrecht, 2001). */
const WINDOW = [
  0.27105140069342, 0.43329793923448, 0.21812299954311, 0.06592544638803, 0.01081174209837, 0.00077658482522,
  0.00001388721735,
];

/**
 * The greatest line of a signal outside of some bands, in dB relative to a sine of amplitude 1.
 *
 * @param y at least `size` frames, of which those in the middle are looked at
 * @param isInside whether a frequency (Hz) does not count
 */
export function greatestLine(
  y: ArrayLike<number>,
  sampleRate: number,
  isInside: (frequency: number) => boolean,
  size = 65_536,
): number {
  const from = Math.floor((y.length - size) / 2);
  const re = new Float64Array(size);
  const im = new Float64Array(size);
  let sum = 0;
  for (let k = 0; k < size; k++) {
    const weight = WINDOW.reduce(
      (all, a, i) => all + (i % 2 === 1 ? -a : a) * Math.cos((2 * Math.PI * i * k) / size),
      0,
    );
    re[k] = weight * y[from + k]!;
    sum += weight;
  }
  transform(re, im);
  let worst = 0;
  for (let bin = 0; bin < size / 2; bin++) {
    if (isInside((bin * sampleRate) / size)) continue;
    worst = Math.max(worst, (2 * Math.hypot(re[bin]!, im[bin]!)) / sum);
  }
  return 20 * Math.log10(worst);
}

/** The discrete Fourier transform, in place; a power of two. */
function transform(re: Float64Array, im: Float64Array): void {
  const n = re.length;
  for (let i = 0, j = 0; i < n; i++) {
    if (i < j) {
      [re[i], re[j]] = [re[j]!, re[i]!];
      [im[i], im[j]] = [im[j]!, im[i]!];
    }
    let bit = n >> 1;
    for (; bit >= 1 && (j & bit) !== 0; bit >>= 1) j ^= bit;
    j |= bit;
  }
  for (let size = 2; size <= n; size *= 2) {
    for (let k = 0; k < size / 2; k++) {
      const c = Math.cos((2 * Math.PI * k) / size);
      const s = -Math.sin((2 * Math.PI * k) / size);
      for (let p = k; p < n; p += size) {
        const q = p + size / 2;
        const x = re[q]! * c - im[q]! * s;
        const y = re[q]! * s + im[q]! * c;
        re[q] = re[p]! - x;
        im[q] = im[p]! - y;
        re[p]! += x;
        im[p]! += y;
      }
    }
  }
}
