import { expect, it } from 'vitest';
import * as ops from '../../src/ops/index.ts';
import { compile } from '../../src/stream/index.ts';
import { evaluate } from '../../src/train/index.ts';
import { opModel, verifyOp } from '../contract/op.ts';

// Under sine and cosine, as it is used: the angle itself jumps where it wraps.
verifyOp({
  name: 'phase',
  inputs: { input: [3] },
  build: (_t, { input }) => ops.add(ops.cos(ops.phase(input!)), ops.sin(ops.phase(ops.mul(input!, 0.3)))),
  frames: 400,
});

const angle = opModel({ name: 'angle', inputs: { input: [1] }, build: (_t, { input }) => ops.phase(input!) });

it('phase adds up modulo a turn, backwards too', () => {
  const y = evaluate(angle, {}, { input: Float64Array.of(4, 4, -9, 100) })['output']!;
  const turn = 2 * Math.PI;
  [4, 8 - turn, turn - 1, 99 - 15 * turn].forEach((expected, k) => expect(y[k]).toBeCloseTo(expected, 12));
});

it('phase is exact after a day of 400 Hz frames in float32, where a float32 sum is lost', () => {
  const stream = compile(angle, {});
  const increment = Math.fround(0.7);
  const block = new Float32Array(1 << 16).fill(increment);
  const output = new Float32Array(block.length);
  let sum = 0;
  const blocks = 528;
  for (let i = 0; i < blocks; i++) {
    stream.process(block, output);
    for (let k = 0; k < block.length; k++) sum = Math.fround(sum + increment);
  }
  const frames = BigInt(blocks * block.length);
  // frames × increment exactly, in units of 2⁻²⁴, against a turn to 60 bits.
  const scale = 2n ** 60n;
  const total = (frames * BigInt(increment * 2 ** 24) * scale) / 2n ** 24n;
  const turn = 7_244_019_458_077_122_842n; // 2π · 2⁶⁰
  const exact = Number(total % turn) / Number(scale);
  expect(Math.abs(output.at(-1)! - exact)).toBeLessThan(2e-6);
  expect(Math.abs(Math.sin(sum) - Math.sin(exact))).toBeGreaterThan(0.01);
});
