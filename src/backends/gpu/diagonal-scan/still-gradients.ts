/**
 * Gradients of still coefficients without any trajectory. Within a chunk the state, and how it depends on Ā and B̄
 * while the chunk's start stands fixed, run forward side by side:
 *
 *     x[t] = Ā x[t−1] + B̄ u[t],    η[t] = Ā η[t−1] + x[t−1],    ξ[t] = Ā ξ[t−1] + u[t]          (η, ξ from 0)
 *     dĀ = Σ λ₀[t] conj(η[t]),     dB̄ = Σ λ₀[t] conj(ξ[t]),     dc = Σ dy[t] conj(x[t])
 *
 * λ₀[t] is the gradient that enters at t: conj(c) dy[t] or dx[t], and at the chunk's last frame also
 * conj(Ā) λ[t+1], the start of the backward scan's chunk. That chunks hand on what they owe to their starts through
 * λ makes the sum over chunks exact. f and g are chained through once, in float64, on the CPU. A c that varies has a
 * kernel of its own (`operandGradient`).
 *
 * | symbol | name | shape |
 * | --- | --- | --- |
 * | x, η, ξ | `x`, `eta`, `xi` | a number a thread |
 * | partial sums | `lanes` | slices × (dĀ, dB̄, dc: each re, [im]) × J |
 */
import type { ScanRole } from '../../../ops/diagonal-scan.ts';
import type { FloatArray } from '../../../signal/index.ts';
import { ZERO, conjugate, plus, scale, times, type Complex } from '../expression.ts';
import type { Step } from '../program.ts';
import { Source } from '../source.ts';
import type { Layout } from './layout.ts';
import { laneOf, operandPair, outputGradient, stateGradient } from './operands.ts';
import { stateInputs } from './read-out.ts';
import { advance, readOutWeight, stillDecay } from './recurrence.ts';
import { elementOf, laneOperands, stillEntry } from './still.ts';
import { startAt, startsOf } from './tree.ts';

const THREADS = 2 ** 16;
const QUANTITIES = 3;

export const stillSlices = ({ batch, chunks, parts, lanes }: Layout): number =>
  Math.min(batch * chunks, Math.max(1, Math.ceil(THREADS / (QUANTITIES * parts * lanes))));

export function stillGradients(layout: Layout): Step {
  const { batch, frames, chunk, chunks, lanes, parts, complex, contracted, stillReadOut } = layout;
  const slices = stillSlices(layout);
  const inputs = [...new Set([...stateInputs(layout, 'forward'), ...stateInputs(layout, 'backward')])];
  const source = new Source();
  const [slice, quantity, laneNumber] = source.thread(QUANTITIES * parts, lanes) as [string, string, string];
  const place = laneOf(source, layout, ZERO, laneNumber);
  const stands = stillDecay(source, layout, 'forward', place);
  const bBar = stillEntry(source, layout, 'bBar', place);
  const dABar = source.complexVariable('dABar', complex);
  const dBBar = source.complexVariable('dBBar', complex);
  const dC = source.complexVariable('dC', complex);

  source.loop('turn', '0', `${Math.ceil((batch * chunks) / slices)}`, (turn) => {
    const which = source.let('which', `${turn} * ${slices} + ${slice}`);
    source.when(`${which} < ${batch * chunks}`, () => {
      const [item, node] = source.split(which, chunks);
      const lane = { ...place, item };
      const x = source.complexVariable('x', complex);
      const owed = source.complexVariable('owed', complex);
      const forward = startsOf(layout, 'forward');
      const backward = startsOf(layout, 'backward');
      if (forward && backward) {
        source.setComplex(x, startAt(source, layout, forward, chunks, lane, node));
        const mirrored = source.let('mirrored', `${chunks - 1} - ${node}`);
        const next = startAt(source, layout, backward, chunks, lane, mirrored);
        source.setComplex(owed, plus(next, times(conjugate(stands.decay), next)));
      }
      const c = contracted ? readOutWeight(source, layout, lane) : undefined;
      const eta = source.complexVariable('eta', complex);
      const xi = source.complexVariable('xi', complex);
      const chunkA = source.complexVariable('chunkA', complex);
      const chunkB = source.complexVariable('chunkB', complex);
      const chunkC = source.complexVariable('chunkC', complex);
      const first = source.let('first', `${node} * ${chunk}`);
      const end = source.let('end', `Math.min(${first} + ${chunk}, ${frames})`);
      source.loop('t', first, end, (frame) => {
        const u = operandPair(source, layout, 'u', lane, frame);
        advance(source, eta, { ...stands, drive: x });
        advance(source, xi, { ...stands, drive: u });
        advance(source, x, { ...stands, drive: times(bBar, u) });
        let entering: Complex;
        if (c) {
          const dy = outputGradient(source, layout, lane, frame);
          if (stillReadOut) source.setComplex(chunkC, plus(chunkC, conjugate(scale(dy, x))));
          entering = source.letComplex('entering', scale(dy, conjugate(c(frame))));
        } else {
          entering = stateGradient(source, layout, lane, frame);
        }
        source.setComplex(chunkA, plus(chunkA, times(entering, conjugate(eta))));
        source.setComplex(chunkB, plus(chunkB, times(entering, conjugate(xi))));
      });
      source.setComplex(dABar, plus(dABar, plus(chunkA, times(owed, conjugate(eta)))));
      source.setComplex(dBBar, plus(dBBar, plus(chunkB, times(owed, conjugate(xi)))));
      source.setComplex(dC, plus(dC, chunkC));
    });
  });
  const values = [dABar, dBBar, dC].flatMap((value) => (complex ? [...value] : [value[0]]));
  return {
    output: 'lanes',
    inputs,
    length: slices * QUANTITIES * parts * lanes,
    source: source.kernel(inputs, source.choose(quantity, values)),
  };
}

/**
 * Adds the partial sums up and chains them through f and g, into gradients of the constant operands in their own
 * shapes.
 */
export function chainStill(
  layout: Layout,
  inputs: readonly FloatArray[],
  sums: Float32Array,
  gradients: readonly FloatArray[],
): void {
  const { channels, states, lanes, parts, attributes } = layout;
  const slices = stillSlices(layout);
  const out = new Float64Array(12);
  for (let h = 0; h < channels; h++) {
    for (let n = 0; n < states; n++) {
      const total = (quantity: number, part: number): number => {
        if (part >= parts) return 0;
        let sum = 0;
        for (let slice = 0; slice < slices; slice++) {
          sum += sums[((slice * QUANTITIES + quantity) * parts + part) * lanes + n * channels + h]!;
        }
        return sum;
      };
      const give = (role: ScanRole, amount: number): void => {
        const i = attributes.roles.indexOf(role);
        if (i >= 0) gradients[i]![elementOf(layout, role, h, n)]! += amount;
      };
      const { a, aIm, b, bIm, dt } = laneOperands(layout, inputs, h, n);
      attributes.method.evaluate(dt * a, dt * aIm, out);
      const [fSlopeRe, fSlopeIm, gRe, gIm] = [out[2]!, out[3]!, out[4]!, out[5]!];
      const [dARe, dAIm, dBRe, dBIm] = [total(0, 0), total(0, 1), total(1, 0), total(1, 1)];
      // dt b g′
      const wRe = dt * (b * out[6]! - bIm * out[7]!);
      const wIm = dt * (b * out[7]! + bIm * out[6]!);
      const zRe = dARe * fSlopeRe + dAIm * fSlopeIm + dBRe * wRe + dBIm * wIm;
      const zIm = dAIm * fSlopeRe - dARe * fSlopeIm + dBIm * wRe - dBRe * wIm;
      give('a', dt * zRe);
      give('aIm', dt * zIm);
      give('b', dt * (dBRe * gRe + dBIm * gIm));
      give('bIm', dt * (dBIm * gRe - dBRe * gIm));
      give('dt', zRe * a + zIm * aIm + dBRe * (gRe * b - gIm * bIm) + dBIm * (gRe * bIm + gIm * b));
      if (layout.stillReadOut) {
        give('c', total(2, 0));
        give('cIm', total(2, 1));
      }
    }
  }
}
