import { ArgumentError } from '../../errors.ts';
import type { FloatArray } from '../../signal/index.ts';
import type { Loss, LossOutput } from '../loss.ts';
import { outputOf, targetOf, type Comparison } from './signal-loss.ts';

/** Where a sequence is classified: at its last frame that counts, by the mean over frames, or in every frame. */
export type ClassifyAt = 'last' | 'mean' | 'frame';

export interface ClassOptions extends Comparison {
  /** `last`, which is also right for a model that answers once. */
  readonly at?: ClassifyAt | undefined;
}

export interface CrossEntropyOptions extends ClassOptions {
  /** ε that is taken from the right class and shared among all; 0. */
  readonly smoothing?: number | undefined;
}

/**
 * Cross-entropy of a softmax over an output's channels (the logits) against class numbers, 0 … channels − 1. `labels`
 * holds one number, or with `at: 'frame'` one a frame, of which −1 does not count. In nats, the mean over frames.
 *
 *     loss = −Σ_c q_c log p_c,   p = softmax(y),   q = (1 − ε) onehot + ε / classes
 *
 * @throws ArgumentError for a label that is no class, when it is met.
 * @example
 * const loss = crossEntropy({ at: 'mean' });
 */
export function crossEntropy(options: CrossEntropyOptions = {}): Loss {
  const { output = 'output', target = 'labels', smoothing = 0 } = options;
  const at = checkedAt('cross-entropy', options.at);
  if (!(smoothing >= 0 && smoothing < 1))
    throw new ArgumentError(`cross-entropy: smoothing is ${smoothing}; give a number from 0, below 1`);
  return {
    kind: 'cross-entropy',
    options: { ...options },
    targets: [target],
    evaluate(call) {
      const found = outputOf('cross-entropy', output, call);
      const decisions = decisionsOf(found, at);
      const labels = targetOf('cross-entropy', target, call, decisions.length);
      const { channels: classes, gradient } = found;
      const counted = decisions.filter((_, i) => labels[i] !== -1).length;
      if (counted === 0) return 0;
      const p = new Float64Array(classes);
      let sum = 0;
      decisions.forEach(({ first, frames, logits }, i) => {
        const label = labels[i]!;
        if (label === -1) return;
        checkLabel('cross-entropy', target, label, classes);
        const norm = logSumExp(logits, 0, classes);
        for (let c = 0; c < classes; c++) {
          const q = (c === label ? 1 - smoothing : 0) + smoothing / classes;
          sum -= q * (logits[c]! - norm);
          p[c] = (Math.exp(logits[c]! - norm) - q) / (counted * frames);
        }
        if (gradient === undefined) return;
        for (let k = first; k < first + frames; k++) {
          for (let c = 0; c < classes; c++) gradient[k * classes + c]! += p[c]!;
        }
      });
      return sum / counted;
    },
  };
}

/** What one label is compared with: the mean of the logits of some frames. */
export interface Decision {
  readonly first: number;
  readonly frames: number;
  readonly logits: Float64Array;
}

/** The logits that are to be compared with labels. */
export function decisionsOf({ data, frames, channels }: LossOutput, at: ClassifyAt): Decision[] {
  const over = (first: number, count: number): Decision => {
    const logits = new Float64Array(channels);
    for (let k = first; k < first + count; k++) {
      for (let c = 0; c < channels; c++) logits[c]! += data[k * channels + c]! / count;
    }
    return { first, frames: count, logits };
  };
  if (at === 'frame') return Array.from({ length: frames }, (_, k) => over(k, 1));
  return [at === 'last' ? over(frames - 1, 1) : over(0, frames)];
}

export function checkedAt(kind: string, at: ClassifyAt = 'last'): ClassifyAt {
  if (!['last', 'mean', 'frame'].includes(at))
    throw new ArgumentError(`${kind}: at is ${JSON.stringify(at)}; use last, mean or frame`);
  return at;
}

export function checkLabel(kind: string, target: string, label: number, classes: number): void {
  if (Number.isInteger(label) && label >= 0 && label < classes) return;
  throw new ArgumentError(
    `the loss ${kind} got the label ${label} in "${target}"; the model tells ${classes} classes apart, 0 to ${classes - 1}`,
  );
}

/** log Σ exp x without overflow. */
export function logSumExp(x: FloatArray, from: number, count: number): number {
  let max = -Infinity;
  for (let i = 0; i < count; i++) max = Math.max(max, x[from + i]!);
  if (max === -Infinity) return max;
  let sum = 0;
  for (let i = 0; i < count; i++) sum += Math.exp(x[from + i]! - max);
  return max + Math.log(sum);
}
