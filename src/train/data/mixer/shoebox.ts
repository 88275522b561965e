/**
 * The impulse response of a rectangular room between two points.
 *
 * | symbol | name | unit |
 * | --- | --- | --- |
 * | L | size of the room (3) | m |
 * | s, r | source, receiver (3 each) | m |
 * | c | speed of sound | 343 m/s |
 * | T | reverberation time: −60 dB | s |
 * | β | reflection of every wall (amplitude) | |
 * | V, S | volume, surface of the walls | m³, m² |
 *
 * Reflections that arrive within `exact` seconds are those of the image sources: one for every p ∈ {0, 1}³ and
 * m ∈ ℤ³ at R = (1 − 2p) s + 2 m L − r, with the amplitude β^(Σ |m − p| + |m|) / (4π |R|) after |R|/c (Allen and
 * Berkley, "Image method for efficiently simulating small-room acoustics", J. Acoust. Soc. Am. 65, 1979, equation 10).
 * β follows from T by Eyring's formula, T = 0.161 V / (−S ln β²). Behind them, where echoes lie too close to be told
 * apart, comes noise that decays by 60 dB in T, of the power that the image sources had in the end.
 */
import type { Random } from '../../../init/random.ts';

const SPEED = 343;
/** Frames on each side of an arrival between two frames: a sinc under a Hann window. */
const SIDE = 12;

export interface Shoebox {
  /** m: length, width, height. */
  readonly size: readonly [number, number, number];
  readonly source: readonly [number, number, number];
  readonly receiver: readonly [number, number, number];
  /** Seconds until the sound has decayed by 60 dB. */
  readonly reverberation: number;
}

/**
 * The response from the emission on: the direct sound comes |s − r|/c later.
 *
 * @param exact seconds of image sources; 0.08 by default.
 */
export function shoeboxResponse(
  { size, source, receiver, reverberation }: Shoebox,
  sampleRate: number,
  draws: Random,
  exact = 0.08,
): Float32Array {
  const [x, y, z] = size;
  const surface = 2 * (x * y + y * z + x * z);
  const beta = Math.exp((-0.161 * x * y * z) / (2 * surface * reverberation));
  const frames = Math.ceil(Math.max(reverberation, exact) * sampleRate) + 2 * SIDE;
  const out = new Float32Array(frames);
  const reach = Math.min(exact, reverberation) * SPEED;
  const along = size.map((length, axis) => images(length, source[axis]!, receiver[axis]!, reach));
  for (const a of along[0]!) {
    for (const b of along[1]!) {
      const square = a.offset ** 2 + b.offset ** 2;
      if (square > reach * reach) continue;
      for (const c of along[2]!) {
        const distance = Math.sqrt(square + c.offset ** 2);
        if (distance > reach) continue;
        const amplitude =
          beta ** (a.bounces + b.bounces + c.bounces) / (4 * Math.PI * Math.max(0.1, distance));
        arrive(out, (distance / SPEED) * sampleRate, amplitude);
      }
    }
  }
  addTail(out, sampleRate, Math.min(exact, reverberation), reverberation, draws);
  return out;
}

/** Images along one axis: how far from the receiver, and after how many reflections. */
function images(
  length: number,
  source: number,
  receiver: number,
  reach: number,
): { offset: number; bounces: number }[] {
  const most = Math.ceil(reach / (2 * length)) + 1;
  const found: { offset: number; bounces: number }[] = [];
  for (let m = -most; m <= most; m++) {
    for (const p of [0, 1]) {
      const offset = (1 - 2 * p) * source + 2 * m * length - receiver;
      if (Math.abs(offset) <= reach) found.push({ offset, bounces: Math.abs(m - p) + Math.abs(m) });
    }
  }
  return found;
}

/** Adds an impulse at a time that is no whole frame. */
function arrive(out: Float32Array, time: number, amplitude: number): void {
  const first = Math.max(0, Math.ceil(time - SIDE));
  const last = Math.min(out.length - 1, Math.floor(time + SIDE));
  const nearest = Math.round(time);
  // sin(π(k − t)) alternates in sign from frame to frame: one sine an arrival.
  const sine = Math.sin(Math.PI * (nearest - time));
  for (let k = first; k <= last; k++) {
    const angle = Math.PI * (k - time);
    const sinc = Math.abs(angle) < 1e-9 ? 1 : ((k - nearest) % 2 === 0 ? sine : -sine) / angle;
    out[k] = out[k]! + amplitude * sinc * (0.5 + 0.5 * Math.cos(angle / SIDE));
  }
}

function addTail(
  out: Float32Array,
  sampleRate: number,
  from: number,
  reverberation: number,
  draws: Random,
): void {
  const start = Math.round(from * sampleRate);
  const window = Math.min(start, Math.round(0.02 * sampleRate));
  let energy = 0;
  for (let k = start - window; k < start; k++) energy += out[k]! ** 2;
  const level = Math.sqrt(energy / Math.max(1, window));
  const decay = 10 ** (-3 / (reverberation * sampleRate));
  // The window's mean lies half of it before the tail begins.
  let gain = level * decay ** (window / 2);
  for (let k = start; k < out.length; k++, gain *= decay) out[k] = out[k]! + gain * draws.normal();
}

/**
 * A room as people talk in: 3 to 9 m long, 0.15 to 0.8 s of reverberation, talker 0.3 to 3 m from the microphone, both
 * at least 30 cm from the walls.
 */
export function drawShoebox(draws: Random): Shoebox {
  const size = [draws.uniform(3, 9), draws.uniform(2.5, 6), draws.uniform(2.3, 3.5)] as const;
  const inside = (length: number): number => draws.uniform(0.3, length - 0.3);
  const receiver = [inside(size[0]), inside(size[1]), draws.uniform(0.7, 1.6)] as const;
  const distance = 0.3 * 10 ** draws.uniform();
  const angle = draws.uniform(0, 2 * Math.PI);
  const within = (value: number, length: number): number => Math.max(0.3, Math.min(length - 0.3, value));
  const source = [
    within(receiver[0] + distance * Math.cos(angle), size[0]),
    within(receiver[1] + distance * Math.sin(angle), size[1]),
    draws.uniform(1.1, 1.8),
  ] as const;
  return { size, source, receiver, reverberation: 0.15 * (0.8 / 0.15) ** draws.uniform() };
}
