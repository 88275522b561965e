import { ArgumentError } from '../errors.ts';
import { random } from '../init/index.ts';

/** Chooses a token from the logits of all. */
export type Sampler = (logits: ArrayLike<number>) => number;

/** The token of the largest logit; of several, the first. */
export const greedy: Sampler = (logits) => {
  let best = 0;
  for (let token = 0; token < logits.length; token++) {
    if (Number.isNaN(logits[token])) throw notANumber(token);
    if (logits[token]! > logits[best]!) best = token;
  }
  return best;
};

export interface SamplingOptions {
  /** T: above 0; below 1 sharpens, above 1 flattens; 1 by default. */
  readonly temperature?: number;
  /** The smallest set of the likeliest tokens whose probabilities reach this is drawn from: above 0, at most 1. */
  readonly topP?: number;
  /** The same seed draws the same tokens from the same logits. */
  readonly seed: number;
}

/**
 * Draws from softmax(logits / T), cut to the likeliest tokens that together reach `topP` (nucleus sampling), at
 * least one. A token of logit −∞ is never drawn. Of tokens of equal logits, the first counts as the likelier.
 *
 * Source: Holtzman et al., "The Curious Case of Neural Text Degeneration" (arXiv 1904.09751), §3.1.
 *
 * @throws ArgumentError for a temperature or a `topP` out of range, and for logits that are NaN, +∞, or all −∞.
 * @example
 * const choose = sampling({ temperature: 0.8, topP: 0.9, seed: 1 });
 * const token = choose(logits);
 */
export function sampling({ temperature = 1, topP = 1, seed }: SamplingOptions): Sampler {
  if (!(temperature > 0 && temperature < Infinity)) {
    throw new ArgumentError(
      `sampling: temperature is ${temperature}; give a number above 0, or use greedy for the likeliest token`,
    );
  }
  if (!(topP > 0 && topP <= 1))
    throw new ArgumentError(`sampling: topP is ${topP}; give a number above 0 and at most 1`);
  const rng = random(seed);
  return (logits) => {
    const top = logits[greedy(logits)]!;
    if (!Number.isFinite(top)) {
      throw new ArgumentError(
        `sampling: the largest of ${logits.length} logits is ${top}; at least one must be finite, and none +∞`,
      );
    }
    const weights = Float64Array.from(logits, (logit) => Math.exp((logit - top) / temperature));
    // Stable: equal logits stay in the order of their tokens.
    const order = Array.from(weights, (_, token) => token).sort((a, b) => logits[b]! - logits[a]!);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    let [count, mass] = [0, 0];
    while (count < order.length && (count === 0 || mass < topP * total)) mass += weights[order[count++]!]!;
    let left = rng.uniform(0, mass);
    let chosen = 0;
    // Rounding may leave a crumb behind the last weight, which must not fall to a token of weight 0.
    for (let i = 0; i < count && weights[order[i]!]! > 0; i++) {
      chosen = i;
      left -= weights[order[i]!]!;
      if (left < 0) break;
    }
    return order[chosen]!;
  };
}

const notANumber = (token: number): ArgumentError =>
  new ArgumentError(`the logit of token ${token} is NaN; check the model's weights`);
