import type { Loss, LossCall } from './loss.ts';
import { checkedAt, decisionsOf, type ClassOptions } from './losses/cross-entropy.ts';
import { outputOf, targetOf } from './losses/signal-loss.ts';

/** A number that tells how good a model is: the mean over the sequences of a validation. Every loss is one. */
export interface Metric extends Pick<Loss, 'kind' | 'targets' | 'evaluate'> {
  /** Whether the best model has the highest; lower is better unless said. */
  readonly higherIsBetter?: boolean;
}

/**
 * Share of right decisions, 0 to 1: of one a sequence, or of one a frame; the options are those of `crossEntropy`.
 *
 * @example
 * await fit(model, parameters, { …, metrics: [accuracy({ at: 'mean' })] });
 */
export function accuracy(options: ClassOptions = {}): Metric {
  const { output = 'output', target = 'labels' } = options;
  const at = checkedAt('accuracy', options.at);
  return {
    kind: 'accuracy',
    targets: [target],
    higherIsBetter: true,
    evaluate(call: LossCall) {
      const decisions = decisionsOf(outputOf('accuracy', output, call), at);
      const labels = targetOf('accuracy', target, call, decisions.length);
      let [right, counted] = [0, 0];
      decisions.forEach(({ logits }, i) => {
        if (labels[i] === -1) return;
        counted++;
        if (logits.indexOf(Math.max(...logits)) === labels[i]) right++;
      });
      return counted === 0 ? 0 : right / counted;
    },
  };
}
