import { describe, expect, it } from 'vitest';
import { GraphError } from '../../src/errors.ts';
import * as ops from '../../src/ops/index.ts';
import { turnDigits, turnsAt } from '../../src/ops/rotary.ts';
import { defineLayer, traceModel, type Signal } from '../../src/signal/index.ts';
import { evaluate } from '../../src/train/index.ts';
import { verifyOp } from '../contract/op.ts';

for (const layout of ['interleaved', 'half'] as const) {
  verifyOp({
    name: `rotary, ${layout}`,
    inputs: { input: [2, 6] },
    build: (_t, { input }) => ops.rotary(input!, { angles: [1, 0.1, -2.5], layout }),
  });
}

/** π to 100 digits. */
const PI =
  31415926535897932384626433832795028841971693993751058209749445923078164062862089986280348253421170679n;
const PI_SCALE = 10n ** 100n;

/** frame · angle / 2π modulo 1, in integers. */
function exactTurns(frame: number, angle: number): number {
  const BITS = 1100n;
  let [mantissa, exponent] = [angle, 0n];
  while (!Number.isInteger(mantissa)) [mantissa, exponent] = [mantissa * 2, exponent + 1n];
  const turns = (BigInt(frame) * BigInt(mantissa) * PI_SCALE) << (BITS - exponent);
  const whole = 1n << BITS;
  const fraction = (((turns / (2n * PI)) % whole) + whole) % whole;
  return Number(fraction >> (BITS - 64n)) / 2 ** 64;
}

describe('rotary', () => {
  it('keeps its phase for days: exact at any frame a stream can count', () => {
    const frames = [0, 1, 2, 1e3, 2 ** 24 + 1, 1e8, 2 ** 31 + 7, 48_000 * 86_400 * 365, 2 ** 53 - 1];
    const angles = [1, 1e-4, 0.5, Math.fround(0.0464), 3, -0.7, 7.25, 2 ** -40, 0, ...ops.rotaryAngles(16)];
    for (const angle of angles) {
      const digits = turnDigits(angle);
      for (const frame of frames) {
        const distance = Math.abs(turnsAt(frame, ...digits) - exactTurns(frame, angle));
        // 2^53 frames times the 2^−78 of the last digit, and the rounding of the sum.
        expect(Math.min(distance, 1 - distance), `${angle} at ${frame}`).toBeLessThan(
          2 ** -25 * (frame / 2 ** 53) + 1e-15,
        );
      }
    }
  });

  it('turns a pair by t·θ in both layouts', () => {
    const angles = [0.3, 0.02];
    const model = (layout: ops.RotaryLayout) =>
      defineLayer({ name: 'm', features: 4, apply: (_t, x) => ops.rotary(x, { angles, layout }) });
    const frames = 5;
    const input = Float64Array.from({ length: frames * 4 }, (_, i) => Math.sin(1 + i * 0.9));
    const pairs = {
      interleaved: [
        [0, 1],
        [2, 3],
      ],
      half: [
        [0, 2],
        [1, 3],
      ],
    } as const;
    for (const layout of ['interleaved', 'half'] as const) {
      const y = evaluate(model(layout), {}, { input })['output']!;
      for (let t = 0; t < frames; t++) {
        pairs[layout].forEach(([i, j], pair) => {
          const [a, b] = [input[4 * t + i]!, input[4 * t + j]!];
          const [cos, sin] = [Math.cos(t * angles[pair]!), Math.sin(t * angles[pair]!)];
          expect(y[4 * t + i]).toBeCloseTo(a * cos - b * sin, 13);
          expect(y[4 * t + j]).toBeCloseTo(b * cos + a * sin, 13);
        });
      }
    }
  });

  it('refuses angles that do not fit', () => {
    const build =
      (angles: number[], make: (x: Signal) => Signal = (x) => x) =>
      () =>
        traceModel(
          defineLayer({
            name: 'm',
            features: 4,
            apply: (_t, x) => ops.rotary(make(x), { angles, layout: 'half' }),
          }),
        );
    expect(build([1])).toThrow(GraphError);
    expect(build([1, 2, 3])).toThrow(/last axis of 6, not of \(4\)/);
    expect(build([1, Number.NaN])).toThrow(/NaN/);
  });
});
