/**
 * What comes out of a scan at every frame: each thread walks its chunk from the start to its frame.
 *
 *     y[t] = Re Σₙ c[t] x[t],   or x[t] itself,   and backward   du[t] = Σₙ conj(B̄[t]) λ[t]
 */
import { ZERO, add, conjugate, realOfProduct, scale, times, type Complex } from '../expression.ts';
import type { Step } from '../program.ts';
import { Source } from '../source.ts';
import { coefficients } from './coefficients.ts';
import type { Layout } from './layout.ts';
import { operandPair, type Lane } from './operands.ts';
import { frameAt, readOutWeight, recurrence, walk, type Direction } from './recurrence.ts';
import { stillEntry } from './still.ts';
import { recurrenceInputs, startAt, startsOf } from './tree.ts';

/** Arrays that `stateAt` reads. */
export function stateInputs(layout: Layout, direction: Direction): readonly string[] {
  const starts = startsOf(layout, direction);
  return starts ? [...recurrenceInputs(direction), starts] : recurrenceInputs(direction);
}

/**
 * Text that finds the state of a lane after a frame of the scan, in either direction; `before` gives
 * the state that the frame found.
 */
export function stateAt(
  source: Source,
  layout: Layout,
  direction: Direction,
  lane: Lane,
  frame: string,
  before = false,
): Complex {
  const { chunk, chunks, complex } = layout;
  const position = source.let('position', frameAt(layout, direction, frame));
  const node = source.let('node', `Math.floor((${position} + 0.5) / ${chunk})`);
  const within = `${position} - ${node} * ${chunk}`;
  const motion = recurrence(source, layout, direction, lane);
  const starts = startsOf(layout, direction);
  const x = source.complexVariable('x', complex);
  if (starts) source.setComplex(x, startAt(source, layout, starts, chunks, lane, node));
  walk(source, layout, direction, motion, x, node, source.let('steps', before ? within : `${within} + 1`));
  return x;
}

/** y: B × L × H. */
export function contractedOutput(layout: Layout): Step {
  const { batch, frames, channels, states } = layout;
  const source = new Source();
  const [item, frame, channel] = source.thread(frames, channels) as [string, string, string];
  const y = source.variable('y', ZERO);
  source.loop('n', '0', `${states}`, (state) => {
    const lane = { item, channel, state };
    const x = stateAt(source, layout, 'forward', lane, frame);
    const c = readOutWeight(source, layout, lane)(frame);
    source.set(y, add(y, realOfProduct(c, x)));
  });
  const inputs = stateInputs(layout, 'forward');
  return { output: 'output', inputs, length: batch * frames * channels, source: source.kernel(inputs, y) };
}

/** x: B × L × (H × N), or × (2 × H × N) for a complex state, in the op's order. */
export function stateOutput(layout: Layout): Step {
  const { batch, frames, channels, states, parts, complex } = layout;
  const source = new Source();
  const [item, frame, part, channel, state] = source.thread(frames, parts, channels, states) as [
    string,
    string,
    string,
    string,
    string,
  ];
  const x = stateAt(source, layout, 'forward', { item, channel, state }, frame);
  const inputs = stateInputs(layout, 'forward');
  return {
    output: 'output',
    inputs,
    length: batch * frames * layout.outputWidth,
    source: source.kernel(inputs, source.choose(part, complex ? x : [x[0]])),
  };
}

/** du or duIm: B × L × H. */
export function inputGradient(layout: Layout, role: 'u' | 'uIm'): Step {
  const { batch, frames, channels, states } = layout;
  const source = new Source();
  const [item, frame, channel] = source.thread(frames, channels) as [string, string, string];
  const du = source.variable('du', ZERO);
  source.loop('n', '0', `${states}`, (state) => {
    const lane = { item, channel, state };
    const lambda = stateAt(source, layout, 'backward', lane, frame);
    const product = times(conjugate(inputWeight(source, layout, lane, frame)), lambda);
    source.set(du, add(du, role === 'u' ? product[0] : product[1]));
  });
  const inputs = stateInputs(layout, 'backward');
  return {
    output: `d_${role}`,
    inputs,
    length: batch * frames * channels,
    source: source.kernel(inputs, du),
  };
}

/** B̄ of a lane at a frame. */
function inputWeight(source: Source, layout: Layout, lane: Lane, frame: string): Complex {
  if (layout.still) return stillEntry(source, layout, 'bBar', lane);
  const { dt, gain } = coefficients(source, layout, lane, frame);
  return source.letComplex('bBar', scale(dt, times(gain, operandPair(source, layout, 'b', lane, frame))));
}
