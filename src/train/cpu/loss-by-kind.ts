import type { Loss } from '../loss.ts';
import * as losses from '../losses/index.ts';

type Options = Readonly<Record<string, unknown>>;

const makers: Readonly<Record<string, (options: Options) => Loss>> = {
  mse: (options) => losses.mse(options),
  l1: (options) => losses.l1(options),
  esr: (options) => losses.esr(options),
  'si-sdr': (options) => losses.siSdr(options),
  'multi-resolution-stft': (options) => losses.multiResolutionStft(options),
  'compressed-spectrum': (options) => losses.compressedSpectrum(options),
  'cross-entropy': (options) => losses.crossEntropy(options),
  ctc: (options) => losses.ctc(options),
};

/** A loss as its kind and options, all that another thread needs to make it again. */
export interface LossDescription {
  readonly kind: string;
  readonly options: Options;
}

interface Term extends LossDescription {
  readonly weight: number;
}

/** The loss of a description; undefined for a kind that is not one of the project's: a loss that somebody wrote. */
export function lossByKind({ kind, options }: LossDescription): Loss | undefined {
  if (kind !== 'weighted') return Object.hasOwn(makers, kind) ? makers[kind]!(options) : undefined;
  const terms = (options['terms'] as readonly Term[]).map((term) => ({
    weight: term.weight,
    loss: lossByKind(term),
  }));
  return terms.every((term): term is { weight: number; loss: Loss } => term.loss !== undefined)
    ? losses.weighted(terms)
    : undefined;
}
