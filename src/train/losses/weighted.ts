import { ArgumentError } from '../../errors.ts';
import type { Loss } from '../loss.ts';

export interface WeightedLoss {
  readonly weight: number;
  readonly loss: Loss;
}

/**
 * Σ weight · loss.
 *
 * @throws ArgumentError without any loss, or for a weight that is not finite.
 * @example
 * const loss = weighted([{ weight: 1, loss: esr() }, { weight: 0.1, loss: multiResolutionStft() }]);
 */
export function weighted(terms: readonly WeightedLoss[]): Loss {
  if (terms.length === 0) throw new ArgumentError('weighted: there are no losses; give one at least');
  for (const { weight, loss } of terms) {
    if (!Number.isFinite(weight))
      throw new ArgumentError(`weighted: the weight of ${loss.kind} is ${weight}; give a finite number`);
  }
  return {
    kind: 'weighted',
    options: { terms: terms.map(({ weight, loss: { kind, options } }) => ({ weight, kind, options })) },
    targets: [...new Set(terms.flatMap(({ loss }) => loss.targets))],
    evaluate({ outputs, targets }) {
      let sum = 0;
      for (const { weight, loss } of terms) {
        const own = Object.fromEntries(
          Object.entries(outputs).map(([port, output]) => [
            port,
            output.gradient ? { ...output, gradient: new Float64Array(output.gradient.length) } : output,
          ]),
        );
        sum += weight * loss.evaluate({ outputs: own, targets });
        for (const [port, { gradient }] of Object.entries(outputs)) {
          const from = own[port]!.gradient!;
          gradient?.forEach((_, i) => (gradient[i]! += weight * from[i]!));
        }
      }
      return sum;
    },
  };
}
