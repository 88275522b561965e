import { ArgumentError } from '../../errors.ts';
import type { Loss } from '../loss.ts';
import { checkLabel, logSumExp } from './cross-entropy.ts';
import { outputOf, targetOf, type Comparison } from './signal-loss.ts';

export interface CtcOptions extends Comparison {
  /** The class that stands for nothing; 0. */
  readonly blank?: number | undefined;
}

/**
 * Connectionist temporal classification: −log of the probability of all ways to spread the labels over the frames,
 * divided by their number as torch's `ctc_loss` does. `labels` holds class numbers, padded with −1.
 *
 * | symbol | name | shape |
 * | --- | --- | --- |
 * | l | labels with a blank before, between and behind | (S = 2 · labels + 1) |
 * | α[t][s] | log probability of all beginnings that stand at l[s] in frame t | (frames × S) |
 * | β[t][s] | the same of all ends, frame t itself left out | (frames × S) |
 *
 * Source: Graves, Fernández, Gomez, Schmidhuber, "Connectionist temporal classification" (ICML 2006), §4.1, eq. 5–16.
 *
 * @throws ArgumentError for a label that is no class or is blank, and for more labels than the frames can hold.
 */
export function ctc(options: CtcOptions = {}): Loss {
  const { output = 'output', target = 'labels', blank = 0 } = options;
  return {
    kind: 'ctc',
    options: { ...options },
    targets: [target],
    evaluate(call) {
      const { data, frames, channels, gradient } = outputOf('ctc', output, call);
      const labels = Array.from(targetOf('ctc', target, call, 0)).filter((label) => label !== -1);
      for (const label of labels) {
        checkLabel('ctc', target, label, channels);
        if (label === blank)
          throw new ArgumentError(`the loss ctc got the blank, ${blank}, as a label in "${target}"`);
      }
      const repeats = labels.filter((label, i) => label === labels[i - 1]).length;
      if (labels.length + repeats > frames) {
        throw new ArgumentError(
          `the loss ctc got ${labels.length} labels (${repeats} of them repeated) for ${frames} frames, which can't hold ` +
            'them; use longer sequences, or a model that answers more often',
        );
      }
      const logP = new Float64Array(frames * channels);
      for (let t = 0; t < frames; t++) {
        const norm = logSumExp(data, t * channels, channels);
        for (let c = 0; c < channels; c++) logP[t * channels + c] = data[t * channels + c]! - norm;
      }
      const S = 2 * labels.length + 1;
      const symbols = Array.from({ length: S }, (_, s) => (s % 2 === 0 ? blank : labels[s >> 1]!));
      // A label may be reached past the blank before it, unless it repeats the label before that.
      const skips = (s: number): boolean => s >= 2 && s % 2 === 1 && symbols[s] !== symbols[s - 2];

      const alpha = new Float64Array(frames * S).fill(-Infinity);
      for (let t = 0; t < frames; t++) {
        for (let s = 0; s < S; s++) {
          const p = logP[t * channels + symbols[s]!]!;
          const before = (t - 1) * S + s;
          if (t === 0) alpha[s] = s < 2 ? p : -Infinity;
          else
            alpha[t * S + s] =
              p +
              logAdd(
                alpha[before]!,
                s >= 1 ? alpha[before - 1]! : -Infinity,
                skips(s) ? alpha[before - 2]! : -Infinity,
              );
        }
      }
      const end = (frames - 1) * S;
      const total = logAdd(alpha[end + S - 1]!, S > 1 ? alpha[end + S - 2]! : -Infinity, -Infinity);
      const share = 1 / Math.max(1, labels.length);
      if (gradient) {
        let beta = Float64Array.from({ length: S }, (_, s) => (s >= S - 2 ? 0 : -Infinity));
        for (let t = frames - 1; t >= 0; t--) {
          for (let c = 0; c < channels; c++)
            gradient[t * channels + c]! += share * Math.exp(logP[t * channels + c]!);
          for (let s = 0; s < S; s++)
            gradient[t * channels + symbols[s]!]! -= share * Math.exp(alpha[t * S + s]! + beta[s]! - total);
          const at = (s: number): number => beta[s]! + logP[t * channels + symbols[s]!]!;
          beta = Float64Array.from({ length: S }, (_, s) =>
            logAdd(
              at(s),
              s + 1 < S ? at(s + 1) : -Infinity,
              s + 2 < S && skips(s + 2) ? at(s + 2) : -Infinity,
            ),
          );
        }
      }
      return -total * share;
    },
  };
}

const logAdd = (a: number, b: number, c: number): number => {
  const max = Math.max(a, b, c);
  return max === -Infinity ? max : max + Math.log(Math.exp(a - max) + Math.exp(b - max) + Math.exp(c - max));
};
