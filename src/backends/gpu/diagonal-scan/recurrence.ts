/**
 * The scan as x ← x + (decay·x + drive), forward over the inputs or backward over the output's gradient:
 *
 *     forward   x[t] = Ā[t] x[t−1] + B̄[t] u[t]
 *     backward  λ[t] = conj(Ā[t+1]) λ[t+1] + conj(c[t]) dy[t]      (or + dx[t], where the output is the state)
 *
 * Positions count along the scan: position p is frame p forward, and frame K·T − 1 − p backward, so that the
 * chunks of both directions cover the same frames.
 *
 * | symbol | name |
 * | --- | --- |
 * | Ā − 1, and what float32 cuts off it | `decay`, `decayLow` |
 * | what a frame adds | `drive` |
 */
import { add, conjugate, multiply, plus, scale, subtract, times, type Complex } from '../expression.ts';
import type { Source } from '../source.ts';
import { coefficients } from './coefficients.ts';
import type { Layout } from './layout.ts';
import { operandPair, outputGradient, stateGradient, type Lane } from './operands.ts';
import { stillEntry } from './still.ts';

export type Direction = 'forward' | 'backward';

export interface Motion {
  readonly decay: Complex;
  readonly decayLow?: Complex;
  readonly drive: Complex;
}

/** What lane and frame contribute. Anything that frames share is read once, before the loop over them. */
export type LaneRecurrence = (frame: string) => Motion;

export function recurrence(source: Source, layout: Layout, direction: Direction, lane: Lane): LaneRecurrence {
  const { frames } = layout;
  if (layout.still) {
    const stands = stillDecay(source, layout, direction, lane);
    if (direction === 'forward') {
      const bBar = stillEntry(source, layout, 'bBar', lane);
      return (frame) => ({ ...stands, drive: times(bBar, operandPair(source, layout, 'u', lane, frame)) });
    }
    const entering = gradientEntering(source, layout, lane);
    return (frame) => ({ ...stands, drive: entering(frame) });
  }
  if (direction === 'forward') {
    return (frame) => {
      const { dt, decay, gain } = coefficients(source, layout, lane, frame);
      const b = operandPair(source, layout, 'b', lane, frame);
      const u = operandPair(source, layout, 'u', lane, frame);
      return { decay, drive: times(scale(dt, times(gain, b)), u) };
    };
  }
  const entering = gradientEntering(source, layout, lane);
  return (frame) => {
    // Behind the last frame λ is 0, so any coefficient will do there.
    const next = source.let('next', `Math.min(${frame} + 1, ${frames - 1})`);
    const { decay } = coefficients(source, layout, lane, next);
    return { decay: conjugate(decay), drive: entering(frame) };
  };
}

/** Ā − 1 of a lane whose coefficients stand still, in two parts. */
export function stillDecay(
  source: Source,
  layout: Layout,
  direction: Direction,
  lane: Lane,
): Required<Pick<Motion, 'decay' | 'decayLow'>> {
  const decay = stillEntry(source, layout, 'decay', lane);
  const decayLow = stillEntry(source, layout, 'decayLow', lane);
  return direction === 'forward'
    ? { decay, decayLow }
    : {
        decay: source.letComplex('decay', conjugate(decay)),
        decayLow: source.letComplex('decayLow', conjugate(decayLow)),
      };
}

/** c of a lane at a frame: read before any loop where it stands still. */
export function readOutWeight(source: Source, layout: Layout, lane: Lane): (frame: string) => Complex {
  if (layout.still && layout.stillReadOut) {
    const c = stillEntry(source, layout, 'c', lane);
    return () => c;
  }
  return (frame) => operandPair(source, layout, 'c', lane, frame);
}

/** The gradient that enters the scan at a frame: conj(c) dy, or dx where the output is the state. */
function gradientEntering(source: Source, layout: Layout, lane: Lane): (frame: string) => Complex {
  if (!layout.contracted) return (frame) => stateGradient(source, layout, lane, frame);
  const c = readOutWeight(source, layout, lane);
  return (frame) => scale(outputGradient(source, layout, lane, frame), conjugate(c(frame)));
}

/** The frame at a position of the scan. */
export const frameAt = (layout: Layout, direction: Direction, position: string): string =>
  direction === 'forward' ? position : subtract(`${layout.chunks * layout.chunk - 1}`, position);

/** x ← x + (decay·x + drive). */
export function advance(source: Source, x: Complex, { decay, decayLow, drive }: Motion): void {
  const moved = source.letComplex('moved', decayLow ? plus(times(decayLow, x), drive) : drive);
  source.setComplex(x, plus(x, plus(times(decay, x), moved)));
}

/**
 * The state at a position, walked from its chunk's start: `x` is given that start, and left after `last`
 * positions of the chunk.
 */
export function walk(
  source: Source,
  layout: Layout,
  direction: Direction,
  motion: LaneRecurrence,
  x: Complex,
  chunk: string,
  steps: string,
): void {
  source.loop('s', '0', steps, (s) => {
    const position = source.let('p', add(multiply(chunk, `${layout.chunk}`), s));
    const frame = source.let('t', frameAt(layout, direction, position));
    source.when(`${frame} < ${layout.frames}`, () => advance(source, x, motion(frame)));
  });
}
