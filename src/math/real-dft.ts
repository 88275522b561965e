import FFT from 'fft.js';

/**
 * The discrete Fourier transform of N real numbers, and its transpose, of any length, planned once.
 *
 * | symbol | name | |
 * | --- | --- | --- |
 * | N | size | |
 * | K | bins | ⌊N/2⌋ + 1: the others are conjugates |
 * | θ | | 2π/N |
 *
 *     forward:    Re X[k] = Σₙ x[n] cos(θkn),   Im X[k] = −Σₙ x[n] sin(θkn)
 *     transpose:  x[n] = Σₖ (re[k] cos(θkn) − im[k] sin(θkn)),   k < K
 *
 * Both take O(N log N): powers of two by fft.js, other lengths as a convolution with a chirp (Bluestein, "A linear
 * filtering approach to the computation of the discrete Fourier transform", 1970) by an FFT of twice the length.
 * Float64; an object holds scratch memory and is not to be used by two calls at once.
 */
export interface RealDft {
  readonly size: number;
  readonly bins: number;
  /** `x` (N) → `re`, `im` (K). */
  forward(x: Float64Array, re: Float64Array, im: Float64Array): void;
  /** The transpose of `forward`: `re`, `im` (K) → `x` (N). */
  transpose(re: Float64Array, im: Float64Array, x: Float64Array): void;
}

/**
 * @param size N, 1 or more.
 * @example
 * const dft = realDft(400);
 * dft.forward(frame, re, im);
 */
export function realDft(size: number): RealDft {
  const bins = Math.floor(size / 2) + 1;
  const transform = complexTransform(size);
  const data = new Float64Array(2 * size);
  const out = new Float64Array(2 * size);
  return {
    size,
    bins,
    forward(x, re, im) {
      for (let n = 0; n < size; n++) {
        data[2 * n] = x[n];
        data[2 * n + 1] = 0;
      }
      transform(out, data);
      for (let k = 0; k < bins; k++) {
        re[k] = out[2 * k];
        im[k] = out[2 * k + 1];
      }
      // Real by theory; a chirp's rounding must not leave a phase there.
      im[0] = 0;
      if (size % 2 === 0) im[bins - 1] = 0;
    },
    transpose(re, im, x) {
      // Re Σ X e^(iθkn) = Re Σ conj(X) e^(−iθkn).
      data.fill(0, 2 * bins);
      for (let k = 0; k < bins; k++) {
        data[2 * k] = re[k];
        data[2 * k + 1] = -im[k];
      }
      data[1] = 0;
      if (size % 2 === 0) data[2 * bins - 1] = 0;
      transform(out, data);
      for (let n = 0; n < size; n++) x[n] = out[2 * n];
    },
  };
}

/** out = DFT(data), both N pairs (re, im). */
type Transform = (out: Float64Array, data: Float64Array) => void;

function complexTransform(size: number): Transform {
  if (size === 1) return (out, data) => out.set(data);
  if ((size & (size - 1)) === 0) {
    const fft = new FFT(size);
    return (out, data) => fft.transform(out, data);
  }
  return bluestein(size);
}

/** What a transform of `size` numbers by convolution needs: X[k] = c[k] Σₙ (x[n] c[n]) conj(c[k − n]), c[n] = e^(−iπn²/N). */
export interface Chirp {
  /** Of the convolution, a power of two. */
  readonly length: number;
  /** c, `size` pairs. */
  readonly chirp: Float64Array;
  /** The spectrum of conj(c), wrapped around, `length` pairs. */
  readonly spectrum: Float64Array;
}

/** The chirp of a length that is no power of two (Bluestein). */
export function chirpOf(size: number): Chirp {
  let length = 1;
  while (length < 2 * size - 1) length *= 2;
  const chirp = new Float64Array(2 * size);
  const kernel = new Float64Array(2 * length);
  for (let n = 0; n < size; n++) {
    // n² modulo the period 2N, exact, so that the angle is small.
    const angle = (Math.PI * ((n * n) % (2 * size))) / size;
    const [re, im] = [Math.cos(angle), Math.sin(angle)];
    chirp[2 * n] = re;
    chirp[2 * n + 1] = -im;
    for (const at of n === 0 ? [0] : [n, length - n]) {
      kernel[2 * at] = re;
      kernel[2 * at + 1] = im;
    }
  }
  const spectrum = new Float64Array(2 * length);
  complexTransform(length)(spectrum, kernel);
  return { length, chirp, spectrum };
}

function bluestein(size: number): Transform {
  const { length, chirp, spectrum } = chirpOf(size);
  const fft = new FFT(length);
  const padded = new Float64Array(2 * length);
  const product = new Float64Array(2 * length);
  return (out, data) => {
    padded.fill(0, 2 * size);
    multiply(padded, data, chirp, size);
    fft.transform(product, padded);
    multiply(product, product, spectrum, length);
    fft.inverseTransform(padded, product);
    multiply(out, padded, chirp, size);
  };
}

/** out = a · b, the first `count` complex pairs. */
function multiply(out: Float64Array, a: Float64Array, b: Float64Array, count: number): void {
  for (let i = 0; i < 2 * count; i += 2) {
    const re = a[i] * b[i] - a[i + 1] * b[i + 1];
    out[i + 1] = a[i] * b[i + 1] + a[i + 1] * b[i];
    out[i] = re;
  }
}
