import type { PrepareCall, Signal } from '../signal/index.ts';
import { defineOp, formatShape, isConstant, sizeOf } from '../signal/index.ts';

/**
 * Rotary position: at frame t every pair of the last axis is turned by t·θ of its own.
 *
 *     (a, b) ← (a cos tθᵢ − b sin tθᵢ,  b cos tθᵢ + a sin tθᵢ)
 *
 * | symbol | name | shape |
 * | --- | --- | --- |
 * | x | input | (… × K) |
 * | θ | angles, radians a frame | (K/2) |
 * | a, b | `interleaved`: x[2i], x[2i+1]; `half`: x[i], x[i + K/2] | |
 *
 * The phase is not accumulated but computed from the frame's number, in turns, with a fraction of 78 bits: it is off by
 * less than 1e-15 turns at any number of frames that a stream can count (2^53). Nothing is remembered.
 *
 * Source: Su et al., "RoFormer" (arXiv 2104.09864), §3.2; layouts as in torchscale (`interleaved`) and
 * flash-linear-attention and GPT-NeoX (`half`).
 */
interface RotaryAttributes {
  readonly angles: readonly number[];
  readonly layout: RotaryLayout;
}

export type RotaryLayout = 'interleaved' | 'half';

/** Turns a frame as three 26-bit digits, the highest first, and room for a frame's cosines and sines. */
interface Prepared {
  readonly digits: Float64Array;
  readonly cos: Float64Array;
  readonly sin: Float64Array;
}

const BITS = 26;
const BASE = 2 ** BITS;
/** 2^200 / 2π. */
const TURN_BITS = 200n;
const INVERSE_TURN = 255752132986241185678408580023709873616295664310550962376831n;

/** The fraction of angle/2π in base 2^26, three digits; the angle is taken as the float64 it is. */
export function turnDigits(angle: number): [number, number, number] {
  // angle = mantissa · 2^−1074 is a whole number times a power of two: the product is exact.
  let [mantissa, exponent] = [Math.abs(angle), 0n];
  while (!Number.isInteger(mantissa)) [mantissa, exponent] = [mantissa * 2, exponent + 1n];
  const shift = TURN_BITS + exponent - BigInt(3 * BITS);
  let fraction = ((BigInt(mantissa) * INVERSE_TURN) >> shift) & ((1n << BigInt(3 * BITS)) - 1n);
  if (angle < 0 && fraction !== 0n) fraction = (1n << BigInt(3 * BITS)) - fraction;
  const base = BigInt(BASE);
  return [Number(fraction / (base * base)), Number((fraction / base) % base), Number(fraction % base)];
}

/** frame · (d₀ 2⁻²⁶ + d₁ 2⁻⁵² + d₂ 2⁻⁷⁸) without its whole turns: every product is below 2^53, and so exact. */
export function turnsAt(frame: number, d0: number, d1: number, d2: number): number {
  const low = frame % (2 * BASE);
  const high = Math.floor(frame / (2 * BASE));
  // high·d₀ makes whole turns.
  const turns =
    ((low * d0) % BASE) / BASE +
    ((low * d1) % 2 ** 52) / 2 ** 52 +
    ((high * d1) % (BASE / 2)) / (BASE / 2) +
    (low * d2) / 2 ** 78 +
    ((high * d2) % 2 ** 51) / 2 ** 51;
  return turns - Math.floor(turns);
}

function fillPhases({ digits, cos, sin }: Prepared, frame: number): void {
  for (let i = 0; i < cos.length; i++) {
    const angle = 2 * Math.PI * turnsAt(frame, digits[3 * i]!, digits[3 * i + 1]!, digits[3 * i + 2]!);
    cos[i] = Math.cos(angle);
    sin[i] = Math.sin(angle);
  }
}

const rotaryOp = defineOp<RotaryAttributes, Prepared>({
  name: 'rotary',
  shape({ angles }, [x], reject) {
    if (isConstant(x!)) reject('a constant has no position; give a signal');
    if (x!.shape.at(-1) !== 2 * angles.length) {
      reject(
        `${angles.length} angles turn pairs of a last axis of ${2 * angles.length}, not of ${formatShape(x!.shape)}`,
      );
    }
    const wrong = angles.find((angle) => !Number.isFinite(angle));
    if (wrong !== undefined) reject(`an angle is ${wrong}; give radians a frame`);
    return x!.shape;
  },
  prepare: ({ attributes: { angles } }: PrepareCall<RotaryAttributes>) => ({
    digits: Float64Array.from(angles.flatMap(turnDigits)),
    cos: new Float64Array(angles.length),
    sin: new Float64Array(angles.length),
  }),
  step({ attributes: { layout }, types, inputs, output, prepared, firing }) {
    const x = inputs[0]!;
    const y = output.data;
    fillPhases(prepared, firing);
    const pairs = prepared.cos.length;
    const [next, apart] = layout === 'interleaved' ? [2, 1] : [1, pairs];
    const width = sizeOf(types[0]!.shape);
    for (let row = 0; row < width; row += 2 * pairs) {
      for (let i = 0; i < pairs; i++) {
        const at = row + i * next;
        const a = x.data[x.at + at]!;
        const b = x.data[x.at + at + apart]!;
        y[output.at + at] = a * prepared.cos[i]! - b * prepared.sin[i]!;
        y[output.at + at + apart] = b * prepared.cos[i]! + a * prepared.sin[i]!;
      }
    }
  },
  adjoint({ attributes: { layout }, inputs, dOutput, dInputs, firings, prepared }) {
    const dx = dInputs[0];
    if (!dx) return;
    const { width } = inputs[0]!;
    const pairs = prepared.cos.length;
    const [next, apart] = layout === 'interleaved' ? [2, 1] : [1, pairs];
    for (let t = 0; t < firings; t++) {
      fillPhases(prepared, t);
      for (let row = t * width; row < (t + 1) * width; row += 2 * pairs) {
        for (let i = 0; i < pairs; i++) {
          const at = row + i * next;
          const a = dOutput.data[dOutput.origin + at]!;
          const b = dOutput.data[dOutput.origin + at + apart]!;
          dx.data[dx.origin + at]! += a * prepared.cos[i]! + b * prepared.sin[i]!;
          dx.data[dx.origin + at + apart]! += b * prepared.cos[i]! - a * prepared.sin[i]!;
        }
      }
    }
  },
});

export interface RotaryOptions {
  /** Radians a frame for each pair. */
  readonly angles: readonly number[];
  /** Which two numbers are a pair: neighbours (torchscale), or one of each half (flash-linear-attention). */
  readonly layout: RotaryLayout;
}

/**
 * Turns pairs of the last axis by the frame's number times an angle of their own, so that a product of a query and
 * a key depends on how far apart they are. Exact for days.
 *
 * @throws GraphError where the angles do not fit the last axis.
 * @example
 * const q = rotary(heads, { angles: rotaryAngles(64), layout: 'half' });
 */
export const rotary = (x: Signal, { angles, layout }: RotaryOptions): Signal =>
  x.trace.apply(rotaryOp, { angles, layout }, [x]);

/** base^(−2i/size) for i below size/2: the usual angles of a head of `size` numbers. */
export const rotaryAngles = (size: number, base = 10_000): number[] =>
  Array.from({ length: size / 2 }, (_, i) => base ** ((-2 * i) / size));
