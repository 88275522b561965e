/**
 * Pairs turned by the frame's number times their angle. Phases come from the host in float64, of every S-th frame and of
 * the S frames between, and meet as a product of two rotations: two short tables, whatever the length.
 */
import { turnDigits, turnsAt } from '../../../../ops/rotary.ts';
import { Source } from '../../source.ts';
import type { BackwardCall, ForwardCall, OpKernels } from '../kernels.ts';
import { X, Y, Z, type Tensor } from '../tensor.ts';

interface RotaryAttributes {
  readonly angles: readonly number[];
  readonly layout: 'interleaved' | 'half';
}

/** Cosines of `count` frames `apart`, then their sines; a frame's pairs are neighbours. */
function phases(angles: readonly number[], count: number, apart: number): Float32Array {
  const pairs = angles.length;
  const table = new Float32Array(2 * count * pairs);
  angles.forEach((angle, i) => {
    const digits = turnDigits(angle);
    for (let n = 0; n < count; n++) {
      const phase = 2 * Math.PI * turnsAt(n * apart, ...digits);
      table[n * pairs + i] = Math.cos(phase);
      table[(count + n) * pairs + i] = Math.sin(phase);
    }
  });
  return table;
}

/** x turned forward, or backward. */
function turned({ plan, label, attributes }: ForwardCall, x: Tensor, backward: boolean): Tensor {
  const { angles, layout } = attributes as RotaryAttributes;
  const pairs = angles.length;
  const frames = x.dims[1]!;
  let bits = 0;
  while (4 ** bits < frames) bits++;
  const stride = 2 ** bits;
  const strides = Math.ceil(frames / stride);
  const source = new Source();
  const [row, place] = source.split(X, 2 * pairs);
  // The pair, whether it is its second number, and where the other one stands.
  const [outer, inner] = layout === 'interleaved' ? source.split(place, 2) : source.split(place, pairs);
  const [pair, second] = layout === 'interleaved' ? [outer, inner] : [inner, outer];
  const step = layout === 'interleaved' ? 1 : pairs;
  const other = source.let('other', `${row} * ${2 * pairs} + ${place} + ${step} - ${second} * ${2 * step}`);
  const entry = (table: string, count: number, at: string): readonly [string, string] => [
    source.let('c', `${table}[${at} * ${pairs} + ${pair}]`),
    source.let('s', `${table}[(${at} + ${count}) * ${pairs} + ${pair}]`),
  ];
  const [ca, sa] = entry('far', strides, `(${Y} >> ${bits})`);
  const [cb, sb] = entry('near', stride, `(${Y} & ${stride - 1})`);
  const cosine = `(${ca} * ${cb} - ${sa} * ${sb})`;
  const sine = `(${sa} * ${cb} + ${ca} * ${sb})`;
  // The first of a pair loses what the second gains; backward the other way round.
  const sign = backward ? `(1 - 2 * ${second})` : `(2 * ${second} - 1)`;
  return plan.run({
    label,
    dims: x.dims,
    inputs: {
      x,
      far: plan.literal(phases(angles, strides, stride)),
      near: plan.literal(phases(angles, stride, 1)),
    },
    body: source.body(`x[${Z}][${Y}][${X}] * ${cosine} + x[${Z}][${Y}][${other}] * ${sign} * ${sine}`),
  });
}

export const rotary: OpKernels = {
  forward: (call) => turned(call as ForwardCall, (call as ForwardCall).inputs[0]!, false),
  adjoint(call) {
    const whole = call as BackwardCall;
    whole.give(0, turned(whole, whole.dOutput, true));
  },
};
