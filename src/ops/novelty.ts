import type { Signal } from '../signal/index.ts';
import { defineOp, isConstant, sizeOf } from '../signal/index.ts';
import { refuseAdjoint } from './refuse-adjoint.ts';

/**
 * By how much a frame leaves the range of all frames before it, as a share of that range; over the channels the most.
 *
 *     s[k] = max_c  e / (h_c − l_c + e / 100),   e = max(x_c − h_c, l_c − x_c, 0)
 *
 * | symbol | name | shape |
 * | --- | --- | --- |
 * | x | what is watched | (C) |
 * | l, h | least and greatest so far | (C) |
 * | s | score, 0 … 100 | (1) |
 *
 * A record is the only event whose frequency is known without knowing the distribution: among n exchangeable frames the
 * last is the greatest with probability 1/n. So alarms get rarer the longer a stream runs, whatever it measures. See
 * `noveltyProbability` for how unlikely a score is.
 */
interface NoveltyAttributes {
  /** Frames that are not looked at: what stands before still settles. */
  readonly settle: number;
  /** Frames, those included, before which no score is given. */
  readonly warmUp: number;
  /** Frames after a score within which only a higher one counts: one event, one alarm. */
  readonly rest: number;
}

/** In `event`: frames seen, frames of rest that are left, highest score of this event. */
const [SEEN, WAIT, PEAK] = [0, 1, 2] as const;

const noveltyOp = defineOp<NoveltyAttributes>({
  name: 'novelty',
  shape({ settle, warmUp, rest }, [x], reject) {
    for (const [name, value] of Object.entries({ settle, warmUp, rest }))
      if (!(Number.isSafeInteger(value) && value >= 0)) reject(`${name} is ${value} frames; give 0 or more`);
    if (warmUp <= settle) reject(`warmUp is ${warmUp} frames, settle ${settle}; warm up for longer`);
    if (isConstant(x!)) reject('what is watched is constant; give a signal');
    return [1];
  },
  // It counts observations: the order is what matters, not when they came.
  time: () => 'free',
  state: (_attributes, [x]) => ({
    low: { shape: x!.shape, type: 'float64', initial: Infinity },
    high: { shape: x!.shape, type: 'float64', initial: -Infinity },
    event: { shape: [3], type: 'float64' },
  }),
  step({ attributes: { settle, warmUp, rest }, types, inputs, output, state }) {
    const x = inputs[0]!;
    const low = state['low']!;
    const high = state['high']!;
    const event = state['event']!;
    const seen = event[SEEN]!;
    let score = 0;
    for (let c = 0; c < sizeOf(types[0]!.shape); c++) {
      const value = x.data[x.at + c]!;
      const excess = Math.max(value - high[c]!, low[c]! - value);
      if (seen >= warmUp && excess > 0) score = Math.max(score, excess / (high[c]! - low[c]! + excess / 100));
      if (seen < settle) continue;
      low[c] = Math.min(low[c]!, value);
      high[c] = Math.max(high[c]!, value);
    }
    event[SEEN] = seen + 1;
    if (event[WAIT]! > 0) event[WAIT]! -= 1;
    else event[PEAK] = 0;
    if (score > event[PEAK]!) {
      event[PEAK] = score;
      event[WAIT] = rest;
    } else {
      score = 0;
    }
    output.data[output.at] = score;
  },
  adjoint: () => refuseAdjoint('novelty'),
});

export interface NoveltyOptions {
  /** Frames at the start that are not looked at; 20. */
  readonly settle?: number;
  /** Frames before the first score; 100. */
  readonly warmUp?: number;
  /** Frames after a score within which only a higher one counts; 50. */
  readonly rest?: number;
}

/**
 * How far each frame leaves what was seen before (1): 0 where it does not, else the excess as a share of the range so
 * far. Constant memory: two numbers a channel. Streams alone: gradients are refused.
 *
 * @throws GraphError for frames that are no whole numbers, or a gradient.
 * @example
 * const score = novelty(concat([x, forecastError]), { rest: 50 });
 */
export const novelty = (x: Signal, { settle = 20, warmUp = 100, rest = 50 }: NoveltyOptions = {}): Signal =>
  x.trace.apply(noveltyOp, { settle, warmUp, rest }, [x]);

/**
 * The probability that noise alone scores `score` or more at its frame number `frames`: 2 C n^−(1 + 2 s). Holds for
 * independent frames whose tails fall exponentially (P(|x| > m) = 1/n where m is the record, so
 * P(|x| > m (1 + 2 s)) = n^−(1 + 2 s)); tails that fall faster, as a Gaussian's, score less often.
 *
 * @param frames seen so far, more than 1; of a signal smoothed over τ frames, its frames / τ.
 * @example
 * noveltyProbability(0.2, 4000); // 1.8e-5
 */
export const noveltyProbability = (score: number, frames: number, channels = 1): number =>
  Math.min(1, 2 * channels * frames ** -(1 + 2 * score));
