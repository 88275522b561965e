import { chirpOf } from '../../math/real-dft.ts';
import { windowOf, type StftFrames } from '../../ops/stft-options.ts';
import { sizeOf } from '../../signal/index.ts';
import type { Arena, KernelPlan, KernelRequest } from '../backend.ts';
import { kernelOf, writerAt } from './call.ts';
import * as at from './layout.ts';
import { Bytes } from './scan.ts';

/** Where the tables of a transform stand, relative to the descriptor. */
interface Places {
  readonly window: number;
  readonly roots: number;
  readonly work: number;
  readonly twist: number;
  readonly chirp: number;
  readonly kernel: number;
  readonly frame: number;
  readonly weight: number;
}

/** The transform of N real numbers: which complex one does it, and its tables. */
interface Transform {
  readonly frames: StftFrames;
  /** An even N is a transform of half as many complex numbers. */
  readonly half: boolean;
  readonly points: number;
  /** A power of two: of the points, or of the convolution that stands for them. */
  readonly length: number;
  readonly chirp: ReturnType<typeof chirpOf> | undefined;
  readonly bytes: number;
  readonly places: Places;
}

const PAIR = 16;

function transformOf(frames: StftFrames): Transform {
  const { size, hop } = frames;
  const half = size % 2 === 0;
  const points = half ? size / 2 : size;
  const chirp = (points & (points - 1)) === 0 ? undefined : chirpOf(points);
  const length = chirp?.length ?? points;
  const bytes = new Bytes();
  bytes.take(at.STFT_BYTES);
  const places = {
    window: bytes.take(8 * size),
    roots: bytes.take((PAIR * Math.max(2, length)) / 2),
    work: bytes.take(2 * PAIR * length),
    twist: bytes.take(half ? PAIR * (points + 1) : 0),
    chirp: bytes.take(chirp ? PAIR * points : 0),
    kernel: bytes.take(chirp ? PAIR * length : 0),
    frame: bytes.take(8 * (size + 1)),
    weight: bytes.take(8 * hop),
  };
  return { frames, half, points, length, chirp, bytes: bytes.size, places };
}

/** e^(−2πik/period) for `count` k, as pairs. */
function writeRoots(to: Float64Array, period: number, count: number): void {
  for (let k = 0; k < count; k++) {
    const angle = (2 * Math.PI * k) / period;
    to[2 * k] = Math.cos(angle);
    to[2 * k + 1] = -Math.sin(angle);
  }
}

function packTransform(transform: Transform, channels: number, arena: Arena, base: number): void {
  const { frames, half, points, length, chirp, places } = transform;
  const put = writerAt(arena, base);
  const doubles = (from: number): Float64Array => new Float64Array(arena.buffer, base + from);
  put(at.STFT_CHANNELS, channels);
  put(at.STFT_SIZE, frames.size);
  put(at.STFT_HOP, frames.hop);
  put(at.STFT_WINDOW, base + places.window);
  put(at.STFT_LENGTH, length);
  put(at.STFT_BITS, Math.round(Math.log2(length)));
  put(at.STFT_ROOTS, base + places.roots);
  put(at.STFT_WORK, base + places.work);
  put(at.STFT_HALF, half ? 1 : 0);
  put(at.STFT_TWIST, base + places.twist);
  put(at.STFT_POINTS, points);
  put(at.STFT_FRAME, base + places.frame);
  put(at.STFT_WEIGHT, base + places.weight);
  put(at.STFT_PAST, Math.ceil(frames.size / frames.hop) - 1);
  doubles(places.window).set(windowOf(frames));
  writeRoots(doubles(places.roots), length, Math.max(1, length / 2));
  if (half) writeRoots(doubles(places.twist), frames.size, points + 1);
  if (chirp === undefined) return;
  put(at.STFT_CHIRP, base + places.chirp);
  put(at.STFT_KERNEL, base + places.kernel);
  doubles(places.chirp).set(chirp.chirp);
  doubles(places.kernel).set(chirp.spectrum.map((value) => value / length));
}

/** Short-time spectra, in float64 as the reference has them. */
export function planStft({ attributes, types }: KernelRequest): KernelPlan {
  const transform = transformOf(attributes as StftFrames);
  return {
    bytes: transform.bytes,
    pack: (arena, base) => packTransform(transform, types[0]!.shape[0]!, arena, base),
    bind: (arena, base, node) =>
      kernelOf(
        arena,
        {
          kernel: at.KERNEL_STFT,
          descriptor: base,
          inputs: [{ input: 0, field: base + at.STFT_INPUT }],
          output: base + at.STFT_OUTPUT,
        },
        node,
      ),
  };
}

/** The signal of short-time spectra; what later spectra add to is the op's own section. */
export function planInverseStft({ attributes, types }: KernelRequest): KernelPlan {
  const frames = attributes as StftFrames;
  const transform = transformOf(frames);
  const bins = Math.floor(frames.size / 2) + 1;
  const channels = sizeOf(types[0]!.shape) / (2 * bins);
  return {
    bytes: transform.bytes,
    pack(arena, base, { state }) {
      packTransform(transform, channels, arena, base);
      if (state['overlap']) writerAt(arena, base)(at.STFT_OVERLAP, state['overlap'].byteOffset);
    },
    bind: (arena, base, node) =>
      kernelOf(
        arena,
        {
          kernel: at.KERNEL_INVERSE_STFT,
          descriptor: base,
          inputs: [
            { input: 0, field: base + at.STFT_INPUT },
            { input: 1, field: base + at.STFT_PRESENT },
          ],
          output: base + at.STFT_OUTPUT,
        },
        node,
      ),
  };
}
