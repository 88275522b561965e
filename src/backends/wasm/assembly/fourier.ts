// The discrete Fourier transform of N real numbers and its transpose, in float64; see `math/real-dft.ts`, whose
// conventions these are. A complex number is a vector: re, im.
//
// An even N is a transform of N/2 complex numbers and a step that parts them; lengths that are no powers of two are
// convolutions with a chirp (Bluestein, "A linear filtering approach to the computation of the discrete Fourier
// transform", 1970). Powers of two by Stockham's order, which needs no reversal of bits: stage by stage from one
// array to another, two numbers at a distance becoming two neighbours.

import * as at from '../layout';
import { pair } from './wide';

const FIRST: v128 = pair(-0.0, 0.0);
const SECOND: v128 = pair(0.0, -0.0);

/** a · b of two complex numbers. */
// @ts-ignore: decorator
@inline
function times(a: v128, b: v128): v128 {
  const re = v128.shuffle<i64>(a, a, 0, 0);
  const im = v128.shuffle<i64>(a, a, 1, 1);
  const turned = v128.shuffle<i64>(b, b, 1, 0);
  return f64x2.add(f64x2.mul(re, b), v128.xor(f64x2.mul(im, turned), FIRST));
}

// @ts-ignore: decorator
@inline
function conjugate(a: v128): v128 {
  return v128.xor(a, SECOND);
}

/** i · a with the sign of the first part changed, −i · a with that of the second. */
// @ts-ignore: decorator
@inline
function turned(a: v128, sign: v128): v128 {
  return v128.xor(v128.shuffle<i64>(a, a, 1, 0), sign);
}

/** The transform of M = 2^bits numbers at `from`; gives where the result stands: there or in the other half of the work. */
function powerOfTwo(d: usize, from: usize, other: usize): usize {
  const length = load<usize>(d, at.STFT_LENGTH);
  const roots = load<usize>(d, at.STFT_ROOTS);
  let bits = load<i32>(d, at.STFT_BITS);
  // `span` transforms of `size` numbers are left, interleaved.
  let span: usize = 1;
  let size = length;
  for (; bits >= 2; bits -= 2) {
    fours(from, other, size, span, roots);
    size >>= 2;
    span <<= 2;
    const swap = from;
    from = other;
    other = swap;
  }
  if (bits == 1) {
    const half = length << 3;
    for (let k: usize = 0; k < half; k += 16) {
      const a = v128.load(from + k);
      const b = v128.load(from + half + k);
      v128.store(other + k, f64x2.add(a, b));
      v128.store(other + half + k, f64x2.sub(a, b));
    }
    return other;
  }
  return from;
}

/** One stage of radix 4: x[q + s(p + j n/4)] → y[q + s(4p + j)] · w^(jp), j = 0 … 3. */
function fours(x: usize, y: usize, size: usize, span: usize, roots: usize): void {
  const quarter = size >> 2;
  const apart = (span * quarter) << 4;
  const bytes = span << 4;
  for (let p: usize = 0; p < quarter; p++) {
    const w1 = v128.load(roots + ((p * span) << 4));
    const w2 = times(w1, w1);
    const w3 = times(w2, w1);
    for (const end = x + bytes; x < end; x += 16, y += 16) {
      const a = v128.load(x);
      const b = v128.load(x + apart);
      const c = v128.load(x + 2 * apart);
      const e = v128.load(x + 3 * apart);
      const apc = f64x2.add(a, c);
      const amc = f64x2.sub(a, c);
      const bpe = f64x2.add(b, e);
      // −i (b − e)
      const bme = turned(f64x2.sub(b, e), SECOND);
      v128.store(y, f64x2.add(apc, bpe));
      v128.store(y + bytes, times(w1, f64x2.add(amc, bme)));
      v128.store(y + 2 * bytes, times(w2, f64x2.sub(apc, bpe)));
      v128.store(y + 3 * bytes, times(w3, f64x2.sub(amc, bme)));
    }
    y += 3 * bytes;
  }
}

/** The transform of STFT_POINTS numbers at the start of the work; gives where the result stands. */
export function transform(d: usize): usize {
  const work = load<usize>(d, at.STFT_WORK);
  const length = load<usize>(d, at.STFT_LENGTH);
  const other = work + (length << 4);
  const chirp = load<usize>(d, at.STFT_CHIRP);
  if (chirp == 0) return powerOfTwo(d, work, other);
  const points = load<usize>(d, at.STFT_POINTS);
  const kernel = load<usize>(d, at.STFT_KERNEL);
  for (let k: usize = 0; k < points << 4; k += 16) {
    v128.store(work + k, times(v128.load(work + k), v128.load(chirp + k)));
  }
  memory.fill(work + (points << 4), 0, (length - points) << 4);
  const spectrum = powerOfTwo(d, work, other);
  // The inverse is the conjugate of the transform of the conjugate; 1/M is in the kernel.
  for (let k: usize = 0; k < length << 4; k += 16) {
    v128.store(spectrum + k, conjugate(times(v128.load(spectrum + k), v128.load(kernel + k))));
  }
  const result = powerOfTwo(d, spectrum, spectrum == work ? other : work);
  for (let k: usize = 0; k < points << 4; k += 16) {
    v128.store(result + k, times(conjugate(v128.load(result + k)), v128.load(chirp + k)));
  }
  return result;
}

/** N numbers in float64 at STFT_FRAME → bins in float32, a plane of real parts and one of imaginary ones. */
export function forwardReal(d: usize, to: usize): void {
  const size = load<usize>(d, at.STFT_SIZE);
  const frame = load<usize>(d, at.STFT_FRAME);
  const work = load<usize>(d, at.STFT_WORK);
  const bins = (size >> 1) + 1;
  const im = to + (bins << 2);
  if (load<i32>(d, at.STFT_HALF) == 0) {
    for (let n: usize = 0; n < size; n++) v128.store(work + (n << 4), f64x2(load<f64>(frame + (n << 3)), 0));
    const X = transform(d);
    for (let k: usize = 0; k < bins; k++) {
      store<f32>(to + (k << 2), <f32>load<f64>(X + (k << 4)));
      store<f32>(im + (k << 2), k == 0 ? 0 : <f32>load<f64>(X + (k << 4), 8));
    }
    return;
  }
  // Even numbers are the real parts, odd ones the imaginary: as they stand.
  const half = size >> 1;
  memory.copy(work, frame, size << 3);
  const Z = transform(d);
  const twist = load<usize>(d, at.STFT_TWIST);
  for (let k: usize = 0; k <= half; k++) {
    const a = v128.load(Z + ((k == half ? 0 : k) << 4));
    const b = conjugate(v128.load(Z + ((k == 0 ? 0 : half - k) << 4)));
    const even = f64x2.add(a, b);
    // −i (a − b)
    const odd = turned(f64x2.sub(a, b), SECOND);
    const x = f64x2.mul(f64x2.add(even, times(v128.load(twist + (k << 4)), odd)), f64x2.splat(0.5));
    store<f32>(to + (k << 2), <f32>f64x2.extract_lane(x, 0));
    store<f32>(im + (k << 2), k == 0 || k == half ? 0 : <f32>f64x2.extract_lane(x, 1));
  }
}

/**
 * Bins → N numbers in float64 at STFT_FRAME: x[n] = Re Σₖ s[k] X[k] e^(iθkn) with s = 1 for what is its own conjugate,
 * else 2, over N: the inverse of `forwardReal`.
 */
export function inverseReal(d: usize, from: usize): void {
  const size = load<usize>(d, at.STFT_SIZE);
  const frame = load<usize>(d, at.STFT_FRAME);
  const work = load<usize>(d, at.STFT_WORK);
  const bins = (size >> 1) + 1;
  const im = from + (bins << 2);
  if (load<i32>(d, at.STFT_HALF) == 0) {
    // Re Σ X e^(iθkn) = Re Σ conj(X) e^(−iθkn), each bin and its conjugate at once.
    memory.fill(work, 0, size << 4);
    const share = 1 / <f64>size;
    for (let k: usize = 0; k < bins; k++) {
      const weight = k == 0 ? share : 2 * share;
      const x = f64x2(<f64>load<f32>(from + (k << 2)), k == 0 ? 0 : -<f64>load<f32>(im + (k << 2)));
      v128.store(work + (k << 4), f64x2.mul(x, f64x2.splat(weight)));
    }
    const x = transform(d);
    for (let n: usize = 0; n < size; n++) store<f64>(frame + (n << 3), load<f64>(x + (n << 4)));
    return;
  }
  // Z[k] = E[k] + i O[k], E = (X[k] + conj X[N/2 − k]) / 2, O = (X[k] − conj X[N/2 − k]) / 2 · e^(iθk); z = conj of the
  // transform of conj Z, over N/2.
  const half = size >> 1;
  const twist = load<usize>(d, at.STFT_TWIST);
  const share = f64x2.splat(0.5 / <f64>half);
  for (let k: usize = 0; k < half; k++) {
    const other = half - k;
    const a = f64x2(<f64>load<f32>(from + (k << 2)), k == 0 ? 0 : <f64>load<f32>(im + (k << 2)));
    const b = f64x2(<f64>load<f32>(from + (other << 2)), k == 0 ? 0 : -<f64>load<f32>(im + (other << 2)));
    const even = f64x2.add(a, b);
    const odd = times(conjugate(v128.load(twist + (k << 4))), f64x2.sub(a, b));
    const z = f64x2.add(even, turned(odd, FIRST));
    v128.store(work + (k << 4), conjugate(f64x2.mul(z, share)));
  }
  const z = transform(d);
  for (let n: usize = 0; n < half; n++) v128.store(frame + (n << 4), conjugate(v128.load(z + (n << 4))));
}
