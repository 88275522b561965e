/**
 * The contracted read-out, or the gradient of u, where nothing varies: what comes from inside a chunk is a
 * convolution with the scan's own response, the rest is read off the chunk's start, so that a frame costs T/2 + N
 * products and not N·T/2. The gradient is the same with the roles of B̄ and c exchanged and time reversed.
 *
 *     y[t] = Σ_{l ≤ s} k[l] u[t − l] + Re Σₙ w Āˢ⁺¹ x₀,     k[l] = Re Σₙ w v Āˡ,     s = t mod T
 *
 * | symbol | forward | backward |
 * | --- | --- | --- |
 * | w, read-out | c | conj B̄ |
 * | v, input | B̄ | conj c |
 */
import { ONE, ZERO, add, conjugate, multiply, realOfProduct, times, type Complex } from '../expression.ts';
import type { Step } from '../program.ts';
import { Source } from '../source.ts';
import type { Layout } from './layout.ts';
import { laneAt, type Lane } from './operands.ts';
import { advance, frameAt, stillDecay, type Direction } from './recurrence.ts';
import { stillEntry } from './still.ts';
import { startAt, startsOf } from './tree.ts';

/** Whether a direction's read-out is a convolution: still coefficients, a contracted output, a real input. */
export const convolves = (layout: Layout): boolean =>
  layout.still && layout.stillReadOut && layout.contracted && !layout.role.uIm;

/** The steps that give `output`, or backward `d_u`, from the chunks' starts. */
export function convolutionSteps(layout: Layout, direction: Direction): Step[] {
  const { batch, frames, channels, states, lanes, chunk, chunks, parts, complex } = layout;
  const powers = `${direction}Powers`;
  const response = `${direction}Response`;
  const weights = (source: Source, lane: Lane): { readonly w: Complex; readonly v: Complex } => {
    const b = stillEntry(source, layout, 'bBar', lane);
    const c = stillEntry(source, layout, 'c', lane);
    return direction === 'forward' ? { w: c, v: b } : { w: conjugate(b), v: conjugate(c) };
  };
  const power = (source: Source, lane: Lane, l: string): Complex => {
    const at = source.let('at', add(multiply(l, `${parts * lanes}`), laneAt(layout, lane)));
    return [
      source.let('pRe', `${powers}[${at}]`),
      complex ? source.let('pIm', `${powers}[${at} + ${lanes}]`) : ZERO,
    ];
  };

  const raise = (): Step => {
    const source = new Source();
    const [l, part, laneNumber] = source.thread(parts, lanes) as [string, string, string];
    const [state, channel] = source.split(laneNumber, channels);
    const { decay, decayLow } = stillDecay(source, layout, direction, { item: ZERO, channel, state });
    const p = source.complexVariable('p', complex, [ONE, ZERO]);
    source.loop('i', '0', l, () => advance(source, p, { decay, drive: times(decayLow, p) }));
    return {
      output: powers,
      inputs: ['constants'],
      length: (chunk + 1) * parts * lanes,
      source: source.kernel(['constants'], source.choose(part, complex ? p : [p[0]])),
    };
  };

  const respond = (): Step => {
    const source = new Source();
    const [l, channel] = source.thread(channels) as [string, string];
    const k = source.variable('k', ZERO);
    source.loop('n', '0', `${states}`, (state) => {
      const lane = { item: ZERO, channel, state };
      const { w, v } = weights(source, lane);
      source.set(k, add(k, realOfProduct(times(w, v), power(source, lane, l))));
    });
    return {
      output: response,
      inputs: ['constants', powers],
      length: chunk * channels,
      source: source.kernel(['constants', powers], k),
    };
  };

  const convolve = (): Step => {
    const source = new Source();
    const starts = startsOf(layout, direction);
    const from = direction === 'forward' ? 'signals' : 'dOutput';
    const inputs = [from, 'constants', powers, response, ...(starts ? [starts] : [])];
    const [item, frame, channel] = source.thread(frames, channels) as [string, string, string];
    const position = source.let('position', frameAt(layout, direction, frame));
    const node = source.let('node', `Math.floor((${position} + 0.5) / ${chunk})`);
    const s = source.let('s', `${position} - ${node} * ${chunk}`);
    const y = source.variable('y', ZERO);
    // Backward, the positions before a chunk's first frame may lie behind the sequence's end.
    const seen = direction === 'forward' ? `${s} + 1` : `Math.min(${s} + 1, ${frames} - ${frame})`;
    source.loop('l', '0', source.let('seen', seen), (l) => {
      const t = direction === 'forward' ? `${frame} - ${l}` : `${frame} + ${l}`;
      const at = source.let('at', `(${item} * ${frames} + ${t}) * ${channels} + ${channel}`);
      source.set(y, `${y} + ${response}[${l} * ${channels} + ${channel}] * ${from}[${at}]`);
    });
    if (starts) {
      source.loop('n', '0', `${states}`, (state) => {
        const lane = { item, channel, state };
        const { w } = weights(source, lane);
        const x = startAt(source, layout, starts, chunks, lane, node);
        const p = power(source, lane, source.let('next', `${s} + 1`));
        source.set(y, add(y, realOfProduct(w, source.letComplex('x', times(p, x)))));
      });
    }
    return {
      output: direction === 'forward' ? 'output' : 'd_u',
      inputs,
      length: batch * frames * channels,
      source: source.kernel(inputs, y),
    };
  };
  return [raise(), respond(), convolve()];
}
