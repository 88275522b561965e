/**
 * Gradients of the operands where coefficients vary, chained frame by frame on the device:
 *
 *     dĀ = λ conj(x[t−1]),   dB̄ = λ conj(u),   dc = dy conj(x[t])
 *     dz = dĀ conj(f′) + dB̄ conj(dt b g′),   da = dt dz,   ddt = Re(dz conj a) + Re(dB̄ conj(g b)),   db = dB̄ conj(dt g)
 *
 * One kernel an operand, in the operand's factored shape: a thread sums over the channels and states that share
 * its element; a constant's threads also sum over every so-manieth frame, and the CPU adds up what they give.
 */
import type { ScanRole } from '../../../ops/diagonal-scan.ts';
import {
  ZERO,
  add,
  conjugate,
  multiply,
  plus,
  realOfProduct,
  scale,
  times,
  type Complex,
} from '../expression.ts';
import type { Step } from '../program.ts';
import { Source } from '../source.ts';
import { coefficients, slopes } from './coefficients.ts';
import type { Layout, Placement } from './layout.ts';
import { operandPair, outputGradient, type Lane } from './operands.ts';
import { stateAt, stateInputs } from './read-out.ts';

/** Threads that a constant's gradient is spread over: enough to fill a large device. */
const THREADS = 2 ** 16;

/** Partial sums of a constant operand's gradient, or 1 for one that varies. */
export const slicesOf = ({ batch, frames }: Layout, { varying, rows, columns }: Placement): number =>
  varying ? 1 : Math.min(batch * frames, Math.max(1, Math.ceil(THREADS / (rows * columns))));

/** B × L × R × C of a varying operand, slices × R × C of a constant one. */
export function operandGradient(layout: Layout, placement: Placement): Step {
  const { batch, frames, channels, states } = layout;
  const { role, varying, rows, columns } = placement;
  const slices = slicesOf(layout, placement);
  const inputs = [...new Set([...stateInputs(layout, 'forward'), ...stateInputs(layout, 'backward')])];
  const source = new Source();
  const sum = source.variable('sum', ZERO);

  const overLanes = (item: string, frame: string, row: string, column: string): void => {
    const shared = channels / rows;
    source.loop('i', '0', `${shared}`, (i) => {
      const channel = source.let('h', add(multiply(row, `${shared}`), i));
      source.loop('j', '0', `${columns === 1 ? states : 1}`, (j) => {
        const lane = { item, channel, state: columns === 1 ? j : column };
        source.set(sum, add(sum, laneGradient(source, layout, role, lane, frame)));
      });
    });
  };

  if (varying) {
    const [item, frame, row, column] = source.thread(frames, rows, columns) as [
      string,
      string,
      string,
      string,
    ];
    overLanes(item, frame, row, column);
  } else {
    const [slice, row, column] = source.thread(rows, columns) as [string, string, string];
    const turns = Math.ceil((batch * frames) / slices);
    source.loop('turn', '0', `${turns}`, (turn) => {
      const place = source.let('place', `${turn} * ${slices} + ${slice}`);
      source.when(`${place} < ${batch * frames}`, () => {
        const [item, frame] = source.split(place, frames);
        overLanes(item, frame, row, column);
      });
    });
  }
  return {
    output: `d_${role}`,
    inputs,
    length: (varying ? batch * frames : slices) * rows * columns,
    source: source.kernel(inputs, sum),
  };
}

/** What one lane adds to the gradient of a role at one frame. */
function laneGradient(source: Source, layout: Layout, role: ScanRole, lane: Lane, frame: string): string {
  const part = role.endsWith('Im') ? 1 : 0;
  // A real state has no imaginary part for an imaginary operand to meet.
  if (part === 1 && !layout.complex) return ZERO;
  if (role === 'c' || role === 'cIm') {
    const x = stateAt(source, layout, 'forward', lane, frame);
    return conjugate(scale(outputGradient(source, layout, lane, frame), x))[part];
  }
  const lambda = stateAt(source, layout, 'backward', lane, frame);
  const found = coefficients(source, layout, lane, frame);
  const { dt, a, gain } = found;
  const b = operandPair(source, layout, 'b', lane, frame);
  const u = operandPair(source, layout, 'u', lane, frame);
  const dBBar = source.letComplex('dBBar', times(lambda, conjugate(u)));
  if (role === 'b' || role === 'bIm') return times(dBBar, conjugate(scale(dt, gain)))[part];

  const past = stateAt(source, layout, 'forward', lane, frame, true);
  const { decaySlope, gainSlope } = slopes(source, layout, found);
  const dABar = source.letComplex('dABar', times(lambda, conjugate(past)));
  const dz = source.letComplex(
    'dz',
    plus(
      times(dABar, conjugate(decaySlope)),
      times(dBBar, conjugate(source.letComplex('bSlope', scale(dt, times(b, gainSlope))))),
    ),
  );
  if (role === 'a' || role === 'aIm') return multiply(dt, dz[part]);
  const gainB: Complex = source.letComplex('gainB', times(gain, b));
  return add(realOfProduct(dz, conjugate(a)), realOfProduct(dBBar, conjugate(gainB)));
}
